// The portal's frame: search, keys, and what htmx could not send.
"use strict";

// Ticking an event means only what is ticked, and any other choice of events unticks.
document.addEventListener("change", ({ target }) => {
  if (target.name === "event_types" && target.checked) target.form.elements.listens.value = "some";
  if (target.name === "listens" && target.value !== "some") {
    for (const box of target.form.querySelectorAll("[name=event_types]")) box.checked = false;
  }
});

// A form that was fetched into a page closes where it was opened.
document.addEventListener("click", (event) => {
  const place = event.target.closest("[data-cancels]")?.closest(".on-demand");
  if (!place) return;
  event.preventDefault();
  place.replaceChildren();
  place.parentElement.querySelector("a.btn, button.btn")?.focus();
});

document.addEventListener("htmx:configRequest", (event) => {
  const token = currentToken();
  if (token && "csrfmiddlewaretoken" in event.detail.parameters) event.detail.parameters.csrfmiddlewaretoken = token;
});
document.addEventListener("htmx:afterRequest", allowAnotherSubmission);

// What htmx could not send says so, instead of nothing happening; the button works again.
function say(name, ...parts) {
  if (messages.querySelector(`[data-name=${name}]`)) return;  // a part that asks every second says it once
  const line = document.createElement("p");
  line.className = "toast-line toast-error";
  line.dataset.name = name;
  line.append(...parts);
  messages.replaceChildren(line);
}
function saySignedOut() {
  const link = document.createElement("a");
  link.href = "/accounts/login/";
  link.target = "_blank";
  link.rel = "noopener";
  link.textContent = texts.signIn;
  say("signed-out", `${texts.signedOut} `, link, ` ${texts.thenRetry}`);
}
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 401) saySignedOut();
  else say("failed", texts.failed);
});
document.addEventListener("htmx:sendError", () => say("failed", texts.unreachable));

// Dialogs: the search and the list of keys.
function openDialog(name) {
  const dialog = document.getElementById(name);
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("input")?.select();
}
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    event.preventDefault();
    openDialog(opener.dataset.opens);
  }
  const dialog = event.target.closest("dialog");
  if (dialog && (event.target.closest("[data-closes]") || event.target === dialog)) dialog.close();
});

// In the search, the arrows walk over what was found.
const search = document.getElementById("search");
search?.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const stops = [search.querySelector("input"), ...search.querySelectorAll("#search-results a")];
  const next = stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
  stops.at(next % stops.length).focus();
  event.preventDefault();
});

// Keys: `/` or Ctrl-K, `?`, J and K in a list, and those that a page's buttons name with `data-key`.
const isTyping = (target) => target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
function move(step) {
  const rows = [...document.querySelectorAll("main tbody tr, main .item")].filter((row) => row.querySelector("a"));
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step]?.querySelector("a").focus();
}
const KEYS = { "/": () => openDialog("search"), "?": () => openDialog("keys"), j: () => move(1), k: () => move(-1) };
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openDialog("search");
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const named = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  const act = named ? () => (named.matches("input, textarea, select") ? named.focus() : named.click()) : KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
const list = document.querySelector("#keys dl");
for (const named of document.querySelectorAll("[data-key]")) {
  const key = document.createElement("dt");
  const name = document.createElement("dd");
  key.append(Object.assign(document.createElement("kbd"), { textContent: named.dataset.key.toUpperCase() }));
  name.textContent = named.dataset.keyName || named.textContent.trim();
  list?.append(key, name);
}
