// What Django's widgets leave without a name.
function nameParts() {
  for (const select of document.querySelectorAll("select.admin-autocomplete")) {
    const label = document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
    const chosen = select.nextElementSibling?.querySelector("[role=combobox]");
    if (!label || !chosen) continue;
    label.id ||= `label-of-${select.id}`;
    const text = chosen.querySelector("[role=textbox]");
    chosen.setAttribute("aria-labelledby", `${label.id} ${text.id}`);
    text.setAttribute("aria-labelledby", label.id);
  }
  for (const tip of document.querySelectorAll(".help-tooltip[aria-label]")) tip.setAttribute("role", "img");
}

// Django's widgets make their parts in what jQuery calls when the page is ready, which can be after its load event.
addEventListener("load", () => (window.django?.jQuery ?? ((call) => call()))(nameParts));

// The back office: "/" goes to the search in the head of the page.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.getElementById("office-search");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
});
