// A part that asks again and again is changed in its place: the focus stays, and so does what people opened.
"use strict";

Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => name !== "open" || node.tagName !== "DETAILS";

// It waits while somebody is at what `data-pauses` names, looks at another tab, or has to sign in.
for (const name of ["htmx:beforeRequest", "htmx:beforeSwap"]) {
  document.addEventListener(name, (event) => {
    const { pauses } = event.detail.elt.dataset;
    if (pauses && (document.hidden || document.querySelector(`${pauses}, [data-name="signed-out"]`))) event.preventDefault();
  });
}
