// What every page of Leadline does a little better with JavaScript. Without it, links and forms do the same.
"use strict";

document.documentElement.classList.add("scripted");
const texts = document.getElementById("texts").dataset;  // in the language of the page

// Copy buttons beside values that people carry elsewhere. Without them the values can still be selected.
for (const input of document.querySelectorAll("input[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn";
  button.textContent = texts.copy;
  button.addEventListener("click", async () => {
    input.select();
    try {
      await navigator.clipboard.writeText(input.value);
      button.textContent = texts.copied;
    } catch {
      button.textContent = texts.copyByHand;
    }
    setTimeout(() => { button.textContent = texts.copy; }, 2500);
  });
  input.after(button);
}

// A menu closes when somebody looks elsewhere, and with Esc, which leads back to its button.
const openMenus = () => document.querySelectorAll("details.menu[open], details.press[open]:not(.wide)");
document.addEventListener("click", (event) => {
  for (const menu of openMenus()) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// Messages stay in view as toasts. One that says that all went well leaves by itself, unless somebody is at it.
const SHOWN = 8000;
function makeToast(line) {
  if (line.querySelector(".toast-close")) return;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "toast-close";
  close.setAttribute("aria-label", texts.closeMessage);
  close.textContent = "×";
  close.addEventListener("click", () => line.remove());
  line.append(close);
  if (!line.matches(".toast-success, .toast-info")) return;
  const leave = () => { if (line.matches(":hover, :focus-within")) setTimeout(leave, SHOWN); else line.remove(); };
  setTimeout(leave, SHOWN);
}
const messages = document.getElementById("messages");
const makeToasts = () => messages?.querySelectorAll(".toast-line").forEach(makeToast);
makeToasts();
if (messages) new MutationObserver(makeToasts).observe(messages, { childList: true });

// Who signed in anew in another tab has a new token there: every form takes the one that is valid now.
const currentToken = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1];
document.addEventListener("submit", (event) => {
  const field = event.target.elements?.namedItem("csrfmiddlewaretoken");
  const token = currentToken();
  if (field && token) field.value = token;
}, true);

// A theme is put on without a new page: what is shown once, or half typed, stays.
document.addEventListener("submit", (event) => {
  if (!event.target.matches(".themes")) return;
  event.preventDefault();
  const chosen = event.submitter;
  if (chosen.value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen.value;
  for (const button of event.target.querySelectorAll("button")) button.setAttribute("aria-pressed", button === chosen);
  fetch(event.target.action, { method: "POST", body: new FormData(event.target, chosen), redirect: "manual" });
});

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post" || event.defaultPrevented) return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
const allowAnotherSubmission = () => { for (const form of document.forms) delete form.dataset.sent; };
addEventListener("pageshow", allowAnotherSubmission);
