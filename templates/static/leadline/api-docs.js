"use strict";

const reference = document.getElementById("swagger-ui");

// Swagger UI in one column of our page: without a second <main>, and without links inside its buttons. Every operation of
// an open group is drawn: the page's own search finds it, and no part of a long list stays blank.
function referenceParts({ React }) {
  const h = React.createElement;
  return {
    components: {
      DeepLink: ({ text }) => h("span", { className: "nostyle" }, text),
      operations: (props) => props.specSelectors.taggedOperations().map((group, tag) =>
        h(props.getComponent("OperationTag"), { ...props, key: tag, tag, tagObj: group, specUrl: props.specSelectors.url() },
          h("div", { className: "operation-tag-content" }, group.get("operations").map((op) => {
            const [path, method] = [op.get("path"), op.get("method")];
            const place = { path, method, tag, op, specPath: op.get("specPath") };
            return h(props.getComponent("OperationContainer", true), { ...place, key: `${path}-${method}` });
          }).toArray()))).toArray(),
      ReferenceLayout: ({ getComponent, specSelectors }) => {
        const status = specSelectors.loadingStatus();
        if (status === "failed") return h("p", { role: "alert" }, "The description could not be loaded. Reload the page.");
        if (status !== "success") return h("p", { role: "status" }, "Loading…");
        return h("div", { className: "swagger-ui" }, h(getComponent("SvgAssets")),
          h("div", { className: "scheme-container" }, h(getComponent("AuthorizeBtnContainer", true))),
          h(getComponent("errors", true)), h(getComponent("operations", true)), h(getComponent("Models", true)));
      },
    },
  };
}

SwaggerUIBundle({
  url: reference.dataset.schema,
  domNode: reference,
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [referenceParts],
  layout: "ReferenceLayout",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  validatorUrl: null,
});

// What Swagger UI leaves without a name or out of reach of the keyboard.
function mend() {
  for (const pre of reference.querySelectorAll("pre:not([tabindex])")) pre.tabIndex = 0;
  for (const close of reference.querySelectorAll(".close-modal:not([aria-label])")) close.setAttribute("aria-label", "Close");
  for (const table of reference.querySelectorAll(".responses-table[role=region]:not([aria-label])")) {
    table.setAttribute("aria-label", `Responses: ${table.id}`);
  }
  for (const field of reference.querySelectorAll("select:not([aria-label]), textarea:not([aria-label]), input:not([aria-label])")) {
    if (field.labels?.length) continue;
    const name = field.closest("[data-param-name]")?.dataset.paramName;
    field.setAttribute("aria-label", name || field.placeholder || (field.matches("select") ? "Choice" : "Value"));
  }
}
new MutationObserver(mend).observe(reference, { childList: true, subtree: true });

// The first call is there to be copied.
const call = document.getElementById("first-call");
const button = document.createElement("button");
button.type = "button";
button.className = "btn";
button.textContent = "Copy";
button.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(call.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(call);
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2500);
});
call.after(button);
