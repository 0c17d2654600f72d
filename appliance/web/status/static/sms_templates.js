// A template while it is written: how it goes out, in how many messages, at what price, what is wrong.

const WAIT = 300; // milliseconds without a key

const csrfToken = () => document.querySelector("meta[name=csrf-token]").content;

for (const field of document.querySelectorAll("[data-sampled]")) {
  const { preview } = field.closest("form").dataset;
  const told = document.getElementById(field.getAttribute("aria-describedby"));
  const show = (name, text) => {
    told.querySelector(`[data-${name}]`).textContent = text;
  };
  let timer = 0;

  async function ask() {
    const text = field.value;
    const answer = await fetch(preview, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
      body: JSON.stringify({ language: field.dataset.sampled, text }),
    }).catch(() => null);
    if (!answer?.ok || field.value !== text) return; // the server says it again when it is sent
    const { sample, size, trouble } = await answer.json();
    show("sample", sample);
    show("size", text.trim() ? size : "");
    show("trouble-here", trouble);
    field.toggleAttribute("aria-invalid", Boolean(trouble));
  }

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  });
}
