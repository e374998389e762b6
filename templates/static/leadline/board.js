// The board of leads: a card is moved by dragging, by the arrow keys or by a menu. The answer says where the lead is now.
"use strict";

(() => {
  const board = document.getElementById("board");
  const dialog = document.getElementById("board-move");
  const words = board.dataset;
  const say = (text) => { document.getElementById("board-says").textContent = text; };
  const lists = () => [...board.querySelectorAll(".board-cards")];
  const listOf = (status) => lists().find((list) => list.dataset.status === status);
  const placeOf = (card) => ({ list: card.parentElement, next: card.nextElementSibling });

  function putInto(card, list, next = list.firstElementChild) {
    const focused = card.contains(document.activeElement) ? document.activeElement : null;
    list.insertBefore(card, next?.parentElement === list ? next : null);
    focused?.focus();
    card.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // The answer is the card with the status that the lead has. If there is none, the card goes back to where it came from.
  async function send(card, place) {
    const { id } = card;
    const hasFocus = card.contains(document.activeElement);
    const shown = place.list.dataset.status;
    const values = { csrfmiddlewaretoken: currentToken(), status: card.parentElement.dataset.status, shown };
    const url = words.moveUrl.replace("LEAD", id) + location.search;
    await htmx.ajax("POST", url, { source: card, target: card, swap: "outerHTML", values }).catch(() => {});
    const now = document.getElementById(id);
    if (!now) return;
    const list = listOf(now.dataset.status ?? shown);
    if (now.parentElement !== list) putInto(now, list, place.list === list ? place.next : list.firstElementChild);
    if (hasFocus) now.querySelector(".board-handle").focus();
  }

  // Arrow keys take the card in focus through the columns. Enter drops it; Escape, or going elsewhere, puts it back.
  let held = null;
  let isStepping = false;
  function step(card, by) {
    const all = lists();
    const list = all[all.indexOf(card.parentElement) + by];
    if (!list) return;
    held ??= { card, place: placeOf(card) };
    card.classList.add("is-held");
    board.classList.add("is-moving");
    isStepping = true;
    putInto(card, list, list === held.place.list ? held.place.next : list.firstElementChild);
    isStepping = false;
    say(words.held.replace("{}", list.dataset.name));
  }
  function release() {
    const { card, place } = held;
    held = null;
    card.classList.remove("is-held");
    board.classList.remove("is-moving");
    return [card, place];
  }
  function drop() {
    const [card, place] = release();
    say("");
    if (card.parentElement !== place.list) send(card, place);
  }
  function putBack() {
    const [card, place] = release();
    putInto(card, place.list, place.next);
    say(words.back);
  }
  board.addEventListener("keydown", (event) => {
    const card = event.target.closest(".board-card");
    if (!card || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") step(card, event.key === "ArrowRight" ? 1 : -1);
    else if (held && (event.key === "Enter" || event.key === " ")) drop();
    else if (held && event.key === "Escape") putBack();
    else return;
    event.preventDefault();
  });
  board.addEventListener("focusout", (event) => {
    if (held && !isStepping && !held.card.contains(event.relatedTarget)) putBack();
  });

  // The menu, for who neither drags nor has a keyboard.
  let chosen = null;
  board.addEventListener("click", (event) => {
    const handle = event.target.closest(".board-handle");
    if (!handle) return;
    chosen = handle.closest(".board-card");
    dialog.querySelector("h2").textContent = handle.getAttribute("aria-label");
    for (const button of dialog.querySelectorAll("[value]")) button.disabled = button.value === chosen.parentElement.dataset.status;
    dialog.showModal();
  });
  dialog.addEventListener("click", ({ target }) => {
    const button = target.closest("[value]");
    if (!button) return;
    dialog.close();
    const place = placeOf(chosen);
    putInto(chosen, listOf(button.value));
    send(chosen, place);
  });

  (async () => {
    const { default: Sortable } = await import(words.sorts);
    const sort = () => lists().filter((list) => !Sortable.get(list)).forEach((list) => Sortable.create(list, {
      group: "leads",
      draggable: ".board-card",
      filter: ".board-handle",
      preventOnFilter: false,
      sort: false,
      animation: 120,
      chosenClass: "is-held",
      forceFallback: true,
      fallbackOnBody: true,
      fallbackTolerance: 4,
      delay: 200,
      delayOnTouchOnly: true,
      onStart() { board.classList.add("is-moving"); },
      onEnd({ item, from, to, oldIndex }) {
        board.classList.remove("is-moving");
        if (from !== to) send(item, { list: from, next: from.children[oldIndex] });
      },
    }));
    sort();
    document.addEventListener("htmx:afterSettle", sort);
  })();
})();
