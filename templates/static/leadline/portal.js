// Copy buttons beside values that people carry elsewhere. Without this file the values can still be selected.
"use strict";
for (const input of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button second small";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    input.select();
    try {
      await navigator.clipboard.writeText(input.value);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2500);
  });
  input.after(button);
}
// A menu closes when somebody looks elsewhere.
document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.menu[open], details.press[open]:not(.wide)")) {
    if (!open.contains(event.target)) open.open = false;
  }
});
// Ticking an event means only what is ticked, and choosing everything unticks.
document.addEventListener("change", ({ target }) => {
  if (target.name === "event_types" && target.checked) target.form.elements.listens.value = "some";
  if (target.name === "listens" && target.value === "all") {
    for (const box of target.form.querySelectorAll("[name=event_types]")) box.checked = false;
  }
});
// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
const again = () => { for (const form of document.forms) delete form.dataset.sent; };
addEventListener("pageshow", again);
// What htmx could not send says so, instead of nothing happening; the button works again.
document.addEventListener("htmx:afterRequest", again);
for (const trouble of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(trouble, () => {
    const line = document.createElement("li");
    line.className = "error";
    line.textContent = "That did not work. Load the page again, then try once more.";
    const list = document.createElement("ul");
    list.className = "messages";
    list.append(line);
    document.getElementById("messages").replaceChildren(list);
  });
}
