// Copies the packages' files that the pages need from node_modules into appliance/built/:
// fonts, icons, htmx, and JsSIP as one module. Run by `npm run setup` (with the packages) or
// `npm run build` (again, e.g. after using a new icon).
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const web = dirname(fileURLToPath(import.meta.url));
const modules = join(web, "../../node_modules");
const built = join(web, "../built");

const inter = ["latin", "latin-ext", "cyrillic", "cyrillic-ext"].map(
  (subset) => `@fontsource-variable/inter/files/inter-${subset}-wght-normal.woff2`,
);
// .woff: the PDF renderer does not have to unpack woff2
const serif = ["latin", "latin-ext", "cyrillic", "cyrillic-ext"].flatMap((subset) =>
  [400, 600].map((w) => `@fontsource/source-serif-4/files/source-serif-4-${subset}-${w}-normal.woff`),
);

// An icon is in use if its name appears in quotes in a template, a script or a module.
const appliance = join(web, "..");
const sources = readdirSync(appliance, { recursive: true }).filter((f) => /^(?!built).*\.(html|py|js)$/.test(f));
const quoted = sources.flatMap((f) => readFileSync(join(appliance, f), "utf8").match(/(["'])[a-z0-9-]+\1/g) ?? []);
const icons = [...new Set(quoted.map((name) => `lucide-static/icons/${name.slice(1, -1)}.svg`))].filter((path) =>
  existsSync(join(modules, path)),
);

function copy(folder, files) {
  mkdirSync(join(built, folder), { recursive: true });
  for (const file of files) cpSync(join(modules, file), join(built, folder, basename(file)));
  console.log(`${files.length} files into appliance/built/${folder}`);
}

copy("fonts", [...inter, ...serif]);
copy("icons", icons);
copy("js", ["htmx.org/dist/htmx.min.js"]);

buildSync({
  stdin: { contents: 'export { UA, WebSocketInterface } from "jssip";', resolveDir: web },
  outfile: join(built, "js/jssip.js"),
  bundle: true,
  format: "esm",
  minify: true,
  legalComments: "inline",
});
console.log("JsSIP into appliance/built/js");
