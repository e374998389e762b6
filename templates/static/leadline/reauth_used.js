// Tells Leadline that a person uses the page: a program that only loads it (a mail scanner, a prefetch) presses nothing.
"use strict";

(() => {
  const { csrf } = document.currentScript.dataset;
  const gestures = ["pointerdown", "keydown"];

  function tell(event) {
    if (!event.isTrusted) return;
    gestures.forEach((name) => document.removeEventListener(name, tell, true));
    // A link may leave the page at once: the request outlives it.
    fetch(window.location.pathname, {
      method: "POST",
      credentials: "same-origin",
      keepalive: true,
      headers: { "X-CSRFToken": csrf },
      body: new URLSearchParams({ step: "used" }),
    }).catch(() => {});
  }

  gestures.forEach((name) => document.addEventListener(name, tell, true));
})();
