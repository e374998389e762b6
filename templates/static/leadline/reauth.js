// Listens to the provider's page inside ours, and passes its result on to Leadline.
"use strict";

(() => {
  const frame = document.getElementById("provider");
  const outcome = document.getElementById("outcome");
  const { origin, result, next, csrf, unreachable } = frame.dataset;
  let busy = false;

  window.addEventListener("message", async (event) => {
    if (event.origin !== origin || event.source !== frame.contentWindow) return;
    const message = read(event.data);
    if (!message || message.type !== "handleResponse" || busy) return;
    busy = true;
    try {
      const answer = await fetch(result, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json", "X-CSRFToken": csrf },
        body: JSON.stringify(message.data || {}),
      });
      const said = await answer.json();
      if (said.finished) {
        window.location.assign(next);
      } else {
        say(said.message);
      }
    } catch {
      say(unreachable);
    }
    busy = false;
  });

  function read(data) {
    if (typeof data !== "string") return data;
    try {
      return JSON.parse(data);
    } catch {
      return null;
    }
  }

  function say(text) {
    const line = document.createElement("li");
    line.className = "error";
    line.textContent = text;
    outcome.replaceChildren(line);
  }
})();
