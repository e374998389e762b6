// What was typed into a form comes back after a sign-in: this tab keeps it while the form is under way, for the same
// person, for an hour, and never a password or a secret.
"use strict";

(() => {
  const KEY = "leadline-typed";
  const HOUR = 3600 * 1000;
  const NEVER = /pass|secret|token|key|code|csrf/i;
  const person = document.body.dataset.person;
  const page = () => location.pathname + location.search;

  function read() {
    try {
      return JSON.parse(sessionStorage.getItem(KEY));
    } catch {
      return null;
    }
  }

  const fieldsOf = (form) => [...form.elements].filter(
    (field) => field.name && !["hidden", "password", "submit", "button", "file"].includes(field.type) && !NEVER.test(field.name),
  );
  const stateOf = (field) => field.multiple ? [...field.options].map((option) => option.selected)
    : ["checkbox", "radio"].includes(field.type) ? field.checked : field.value;

  function keep(form) {
    const typed = fieldsOf(form).map((field) => [field.name, field.type, stateOf(field)]);
    const action = form.getAttribute("action") || "";
    sessionStorage.setItem(KEY, JSON.stringify({ person, page: page(), action, typed, at: Date.now() }));
  }

  function putBack(form, typed) {
    const fields = fieldsOf(form);
    if (fields.length !== typed.length) return false;
    typed.forEach(([name, type, value], index) => {
      const field = fields[index];
      if (field.name !== name || field.type !== type) return;
      if (field.multiple) [...field.options].forEach((option, at) => { option.selected = value[at]; });
      else if (["checkbox", "radio"].includes(type)) field.checked = value;
      else field.value = value;
    });
    for (let around = form.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
    form.scrollIntoView({ block: "center" });
    return true;
  }

  const kept = read();
  const goOn = document.querySelector(".only-kept");
  if (goOn) {
    // The page that gives a form back: what is kept is still needed, and somebody may be on the way.
    goOn.hidden = !kept?.typed.length;
    goOn.addEventListener("click", () => sessionStorage.setItem(KEY, JSON.stringify({ ...kept, returning: true })));
    return;
  }
  if (location.pathname.startsWith("/accounts/")) return;  // signing in
  sessionStorage.removeItem(KEY);
  if (kept && person && kept.person === person && kept.page === page() && Date.now() - kept.at < HOUR && kept.returning) {
    const form = [...document.forms].find((one) => (one.getAttribute("action") || "") === kept.action && one.method === "post");
    if (form && putBack(form, kept.typed)) {
      const line = document.createElement("p");
      line.className = "toast-line toast-warning";
      line.textContent = texts.typedIsBack;
      document.getElementById("messages").append(line);
    }
  }
  document.addEventListener("submit", (event) => {
    if (event.target.method === "post" && person && !event.defaultPrevented) keep(event.target);
  });
})();
