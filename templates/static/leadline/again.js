// A part that asks again and again is changed in its place: the focus stays, and so does what people opened.
"use strict";

Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => name !== "open" || node.tagName !== "DETAILS";
