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
// A part that asks again by itself says nothing: nobody asked for it, and it asks again.
const asksAgain = ({ detail }) => "pauses" in detail.elt.dataset;
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 401) saySignedOut();
  else if (!asksAgain(event)) say("failed", texts.failed);
});
document.addEventListener("htmx:sendError", (event) => { if (!asksAgain(event)) say("failed", texts.unreachable); });

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
// Ticked rows: one box ticks all, X ticks the row in focus, and the bar says how many there are.
const boxes = (name) => [...document.querySelectorAll(`input.${name}`)];
function countTicked() {
  for (const output of document.querySelectorAll("[data-count]")) output.value = boxes(output.dataset.count).filter((box) => box.checked).length;
  for (const all of document.querySelectorAll("[data-checks]")) {
    const ticked = boxes(all.dataset.checks).filter((box) => box.checked).length;
    all.checked = ticked > 0 && ticked === boxes(all.dataset.checks).length;
    all.indeterminate = ticked > 0 && !all.checked;
  }
}
document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-checks]")) for (const box of boxes(target.dataset.checks)) box.checked = target.checked;
  if (target.matches("[data-checks], .pick")) countTicked();
});
addEventListener("pageshow", countTicked);
function tickFocused() {
  const box = document.activeElement.closest("tr")?.querySelector(".pick");
  if (!box) return;
  box.checked = !box.checked;
  countTicked();
}
// A menu that a key opens gets the focus. What changes ticked rows ticks the one in focus, if none is.
function act(named) {
  if (named.closest(".bulk") && !boxes("pick").some((box) => box.checked)) tickFocused();
  if (named.matches("input, textarea, select")) named.focus();
  else named.click();
  if (named.matches("summary")) named.parentElement.querySelector(".dropdown-menu button, form input:not([type=hidden])")?.focus();
}
document.addEventListener("click", async ({ target }) => {
  const copier = target.closest("[data-copies]");
  if (!copier) return;
  await navigator.clipboard.writeText(copier.dataset.copies);
  copier.querySelector("span").textContent = copier.dataset.copied;
});
const KEYS = { "/": () => openDialog("search"), "?": () => openDialog("keys"), j: () => move(1), k: () => move(-1), x: tickFocused };
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openDialog("search");
    return;
  }
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && event.target.matches("textarea[data-key]")) {
    event.preventDefault();
    event.target.form.requestSubmit();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const keyed = `[data-key="${CSS.escape(event.key)}"]`;  // of the row in focus, else the page's first
  const named = document.activeElement.closest("main tbody tr, main .item")?.querySelector(keyed) ?? document.querySelector(keyed);
  const done = named ? () => act(named) : KEYS[event.key];
  if (!done) return;
  event.preventDefault();
  done();
});
const list = document.querySelector("#keys dl");
const listed = new Set();  // each row of a list may have the same keys
for (const named of document.querySelectorAll("[data-key]")) {
  if (listed.has(named.dataset.key)) continue;
  listed.add(named.dataset.key);
  const key = document.createElement("dt");
  const name = document.createElement("dd");
  key.append(Object.assign(document.createElement("kbd"), { textContent: named.dataset.key.toUpperCase() }));
  name.textContent = named.dataset.keyName || named.textContent.trim();
  list?.append(key, name);
}
