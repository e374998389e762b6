// Rules: a list that is put in order by dragging, and a builder of conditions that writes the JSON of the form's field.
"use strict";

// The order: a row that was dropped elsewhere is moved there by the same request as by its buttons.
(async () => {
  const list = document.querySelector("[data-sorts]");
  if (!list || list.children.length < 2) return;
  const { default: Sortable } = await import(list.dataset.sorts);
  Sortable.create(list, {
    handle: ".rule-number",
    animation: 120,
    onEnd({ item, newIndex, oldIndex }) {
      if (newIndex === oldIndex) return;
      const form = item.querySelector("form");
      const position = Object.assign(document.createElement("input"), { type: "hidden", name: "position", value: newIndex + 1 });
      form.append(position);
      form.submit();
    },
  });
})();

(() => {
  const build = (builder) => {
    const area = builder.querySelector("textarea");
    const offered = JSON.parse(area.dataset.fields);
    const fields = offered.fields.map(([name, label, type, choices]) => ({ name, label, choices, operators: offered.operators[type] }));
    const words = builder.dataset;
    const units = words.units.split(",");
    const fieldNamed = (name) => fields.find((field) => field.name === name) || fields[0];

    const make = (tag, properties = {}, ...children) => {
      const made = Object.assign(document.createElement(tag), properties);
      made.append(...children);
      return made;
    };
    const choose = (label, options, value, change) => {
      const select = make("select", { className: "form-select" });
      select.setAttribute("aria-label", label);
      for (const [key, text] of options) select.append(new Option(text, key, false, key === value));
      select.addEventListener("change", () => change(select.value));
      return select;
    };
    const input = (label, type, value, change) => {
      const made = make("input", { className: "form-control", type, value: value ?? "" });
      made.setAttribute("aria-label", label);
      made.addEventListener("input", () => change(made.value));
      return made;
    };
    const button = (text, press) => {
      const made = make("button", { type: "button", className: "btn btn-sm", textContent: text });
      made.addEventListener("click", press);
      return made;
    };
    const number = (text) => (text.trim() === "" ? null : Number(text));
    const list = (text) => text.split(",").map((part) => part.trim()).filter(Boolean);

    // What a leaf's value is edited with, by operator.
    function valueInputs(field, leaf) {
      const set = (value) => { leaf.value = value; write(); };
      if (leaf.op === "exists") return [];
      if (leaf.op === "is") return [choose(words.value, [["true", words.yes], ["false", words.no]], String(leaf.value), (value) => set(value === "true"))];
      if (["between", "overlaps", "zip_between"].includes(leaf.op)) {
        const read = leaf.op === "zip_between" ? (text) => text.trim() : number;
        const type = leaf.op === "zip_between" ? "text" : "number";
        const pair = Array.isArray(leaf.value) ? leaf.value : [null, null];
        return [words.from, words.to].map((label, at) => input(label, type, pair[at], (text) => { pair[at] = read(text); set([...pair]); }));
      }
      if (["gt", "lt"].includes(leaf.op)) return [input(words.value, "number", leaf.value, (text) => set(number(text)))];
      if (["older_than", "newer_than"].includes(leaf.op)) {
        const [, count = "7", unit = "d"] = /^(\d+)([mhd])$/.exec(leaf.value || "") || [];
        const span = [count, unit];
        return [
          input(words.value, "number", span[0], (text) => { span[0] = text; set(span.join("")); }),
          choose(words.value, [["m", units[0]], ["h", units[1]], ["d", units[2]]], unit, (value) => { span[1] = value; set(span.join("")); }),
        ];
      }
      const single = leaf.op === "equals";
      if (field.choices.length && ["equals", "in", "on_list"].includes(leaf.op)) {
        const select = choose(words.value, field.choices, "", () => {
          const chosen = [...select.selectedOptions].map((option) => option.value);
          set(single ? chosen[0] : chosen);
        });
        select.multiple = !single;
        for (const option of select.options) option.selected = [leaf.value].flat().includes(option.value);
        if (single && ![leaf.value].flat().filter(Boolean).length) leaf.value = select.value;
        return [select];
      }
      const made = input(words.value, "text", [leaf.value ?? ""].flat().join(", "), (text) => set(single ? text.trim() : list(text)));
      if (!single) made.title = words.several;
      return [made];
    }
    const emptyValue = (op) => ({ exists: undefined, is: true, equals: "", older_than: "7d", newer_than: "7d", gt: null, lt: null }[op] ?? (op === "exists" ? undefined : ["between", "overlaps", "zip_between"].includes(op) ? [null, null] : []));
    const newLeaf = () => ({ field: "title", op: "contains", value: [] });

    function leafRow(leaf, remove) {
      const field = fieldNamed(leaf.field);
      const row = make("div", { className: "condition" });
      row.append(
        choose(words.field, fields.map(({ name, label }) => [name, label]), leaf.field, (name) => {
          leaf.field = name;
          leaf.op = Object.keys(fieldNamed(name).operators)[0];
          leaf.value = emptyValue(leaf.op);
          draw();
        }),
        choose(words.operator, Object.entries(field.operators), leaf.op, (op) => {
          leaf.op = op;
          leaf.value = emptyValue(op);
          draw();
        }),
        ...valueInputs(field, leaf),
        button(words.remove, remove),
      );
      return row;
    }
    // A group is {kind: all | any | none, parts}; "none of these" is {"not": {"any": parts}}.
    function groupBox(group, depth, remove) {
      const box = make("fieldset", { className: "condition-group" });
      box.append(make("legend", { className: "visually-hidden", textContent: words.match }));
      const head = make("div", { className: "condition" });
      head.append(choose(words.match, [["all", words.all], ["any", words.any], ["none", words.none]], group.kind, (kind) => { group.kind = kind; write(); }));
      if (remove) head.append(button(words.remove, remove));
      box.append(head);
      group.parts.forEach((part, at) => {
        const drop = () => { group.parts.splice(at, 1); draw(); };
        box.append(part.parts ? groupBox(part, depth + 1, drop) : leafRow(part, drop));
      });
      const add = make("div", { className: "btn-list" }, button(words.add, () => { group.parts.push(newLeaf()); draw(true); }));
      if (depth < 2) add.append(button(words.addGroup, () => { group.parts.push({ kind: "any", parts: [newLeaf()] }); draw(true); }));
      if (!group.parts.length && depth === 0) box.append(make("p", { className: "soft", textContent: words.empty }));
      box.append(add);
      return box;
    }
    function read(tree) {
      if (!tree || !Object.keys(tree).length) return { kind: "all", parts: [] };
      if (tree.field) return { ...tree };
      if (tree.not) {
        const inner = read(tree.not);
        if (inner.parts && inner.kind === "any") return { kind: "none", parts: inner.parts };
        return { kind: "none", parts: [inner] };
      }
      const kind = tree.all ? "all" : "any";
      return { kind, parts: tree[kind].map(read) };
    }
    function asTree(part) {
      if (!part.parts) return part.op === "exists" ? { field: part.field, op: part.op } : { ...part };
      const parts = part.parts.map(asTree).filter((one) => Object.keys(one).length);
      if (!parts.length) return {};
      if (part.kind === "none") return { not: { any: parts } };
      return { [part.kind]: parts };
    }

    let root;
    try {
      root = read(area.value.trim() ? JSON.parse(area.value) : {});
    } catch {
      return; // what the builder cannot show stays a text
    }
    if (!root.parts) root = { kind: "all", parts: [root] };
    const place = make("div", { className: "condition-builder" });
    area.closest(".field").hidden = true;
    builder.append(place);
    function write() {
      const tree = asTree(root);
      area.value = Object.keys(tree).length ? JSON.stringify(tree) : "";
      builder.dispatchEvent(new Event("conditions-changed"));
    }
    function draw(focusLast = false) {
      place.replaceChildren(groupBox(root, 0));
      if (focusLast) [...place.querySelectorAll(".condition select")].at(-2)?.focus();
      write();
    }
    place.replaceChildren(groupBox(root, 0));
  };

  // A form is part of the page, or comes into it later.
  const buildAll = () => {
    for (const builder of document.querySelectorAll("[data-builder]:not([data-is-built])")) {
      builder.dataset.isBuilt = "";
      build(builder);
    }
  };
  buildAll();
  document.addEventListener("htmx:load", buildAll);
})();
