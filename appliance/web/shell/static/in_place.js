// Sends forms without a new entry in the browser history, so that Back leaves the page at once
// (in_place.py).
//   data-in-place   a form that is sent in this way
//   data-next       a link that replaces the page

const trouble = (status) => document.dispatchEvent(new CustomEvent("trouble", { detail: status }));

export async function send(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  for (const button of form.querySelectorAll("[type=submit]")) button.disabled = true;
  const pendingWork = []; // work that must end first: a draft that is being saved
  form.dataset.sent = "";
  form.dispatchEvent(new CustomEvent("before-send", { bubbles: true, detail: pendingWork }));
  await Promise.all(pendingWork);
  try {
    // a field may be named "action"
    const answer = await fetch(form.getAttribute("action"), {
      method: "POST",
      body,
      headers: { Accept: "application/json" },
    });
    if (!answer.ok) throw new Error(answer.status);
    const { there: address } = await answer.json();
    if (address.startsWith("/login")) throw new Error(401);
    form.dispatchEvent(new CustomEvent("sent", { bubbles: true }));
    location.replace(address);
  } catch (error) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[type=submit]")) button.disabled = false;
    trouble(Number(error.message) || 503); // the typed text stays on the page
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-in-place]")) return;
  event.preventDefault();
  send(event.target, event.submitter);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-next]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  location.replace(link.href);
});
