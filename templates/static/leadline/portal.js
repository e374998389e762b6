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
// Who signed in anew in another tab has a new token there: every form takes the one that is valid now.
const currentToken = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1];
document.addEventListener("submit", (event) => {
  const field = event.target.elements?.namedItem("csrfmiddlewaretoken");
  const token = currentToken();
  if (field && token) field.value = token;
}, true);
document.addEventListener("htmx:configRequest", (event) => {
  const token = currentToken();
  if (token && "csrfmiddlewaretoken" in event.detail.parameters) event.detail.parameters.csrfmiddlewaretoken = token;
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
const say = (...parts) => {
  const line = document.createElement("li");
  line.className = "error";
  line.append(...parts);
  const list = document.createElement("ul");
  list.className = "messages";
  list.append(line);
  document.getElementById("messages").replaceChildren(list);
};
const saySignedOut = () => {
  const link = document.createElement("a");
  link.href = "/accounts/login/";
  link.target = "_blank";
  link.rel = "noopener";
  link.textContent = "Sign in";
  say("You are signed out. Nothing here is lost: ", link, " (in a new tab), then try once more.");
};
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 401) saySignedOut();
  else say("That did not work. Load the page again, then try once more.");
});
document.addEventListener("htmx:sendError", () => say("That did not work. Try once more in a moment."));
