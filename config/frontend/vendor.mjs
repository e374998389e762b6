// Makes templates/static/vendor/tabler of the packages @tabler/core and @tabler/icons: the style that templates use,
// its images as files (the content security policy takes none from inside a style), and the icons that are named. Makes
// templates/static/vendor/chartjs of chart.js: the parts that chart.mjs names, as one module, without animations. Makes
// templates/static/vendor/sortable of sortablejs. Copies idiomorph with its extension of htmx.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { PurgeCSS } from "purgecss";
import { minify } from "terser";

const root = process.argv[2];
const packages = dirname(dirname(dirname(createRequire(import.meta.url).resolve("@tabler/core/package.json"))));
const target = join(root, "templates/static/vendor/tabler");
const charts = join(root, "templates/static/vendor/chartjs");
const sorting = join(root, "templates/static/vendor/sortable");
const morph = join(root, "templates/static/vendor/idiomorph");
const APPS = ["accounts", "config", "leads", "notifications", "webhooks"];
// What Python, widgets and allauth put into pages by themselves.
const STANDARD = ["html", "body"];

const files = (folder, ending) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
  .map((entry) => join(entry.parentPath, entry.name));
const templates = files("templates", ".html");
const scripts = files("templates/static/leadline", ".js");
const modules = APPS.flatMap((app) => files(app, ".py"));
const read = (path) => readFileSync(path, "utf8");

async function style() {
  const source = read(join(packages, "@tabler/core/dist/css/tabler.css"));
  const [{ css }] = await new PurgeCSS().purge({
    css: [{ raw: source.replace(/\/\*#.*?\*\//gs, "") }],
    content: [...templates, ...scripts, ...modules.filter((path) => /templatetags|markup\.py|source_card\.py/.test(path))],
    variables: true,
    keyframes: true,
    safelist: STANDARD,
    blocklist: [/data-bs-theme/, /\[dir=/],
  });
  return css.replace(/url\((["']?)data:image\/svg\+xml,(.*?)\1\)/gs, (_, __, data) => {
    const image = decodeURIComponent(data);
    const name = `${createHash("sha256").update(image).digest("hex").slice(0, 12)}.svg`;
    writeFileSync(join(target, name), image.trim() + "\n");
    return `url("${name}")`;
  });
}

function sprite() {
  const names = new Set();
  for (const path of [...templates, ...modules]) {
    const text = read(path);
    for (const [, name] of text.matchAll(/\{% icon "([a-z0-9-]+)"/g)) names.add(name);
    for (const [, name] of text.matchAll(/\bicon(?:: str)? ?= ?"([a-z0-9-]+)"/g)) names.add(name);
    for (const [, name] of text.matchAll(/# icon: ([a-z0-9-]+)/g)) names.add(name);
  }
  const symbols = [...names].sort().map((name) => {
    const shapes = read(join(packages, `@tabler/icons/icons/outline/${name}.svg`))
      .replace(/<!--.*?-->/s, "").replace(/^.*?<svg.*?>/s, "").replace(/<\/svg>\s*$/, "")
      .replace(/\s*<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*\/>/, "").replace(/\s*\n\s*/g, "");
    return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">${shapes}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}

const here = (name) => new URL(name, import.meta.url).pathname;

function replace(text, from, to, by) {
  const begin = text.indexOf(from), end = text.indexOf(to, begin);
  if (begin < 0 || end < 0) throw new Error(`chart.js has no “${from}” before “${to}” any more`);
  return text.slice(0, begin) + by + text.slice(end);
}

// Chart.js without what animates: a chart takes its new values at once. No option leaves the animator out.
const withoutAnimations = {
  name: "without animations",
  setup: ({ onLoad }) => onLoad({ filter: /chart\.js\/dist\/chart\.js$/ }, ({ path }) => {
    const still = replace(read(path), "class Animator {", "var animator", "class Animator { has() { return false; } running() { return false; } listen() {} start() {} stop() {} remove() {} }\n");
    return { contents: replace(still, "const transparent", "function awaitAll", "class Animation {}\nclass Animations { update(target, values) { Object.assign(target, values); } }\n") };
  }),
};

async function moduleOf(entry, options = {}) {
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false, format: "esm", target: "es2022", legalComments: "none", ...options });
  const { code } = await minify(outputFiles[0].text, { module: true, toplevel: true, compress: { passes: 3, ecma: 2020 } });
  return code + "\n";
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
writeFileSync(join(target, "tabler.css"), await style());
writeFileSync(join(target, "icons.svg"), sprite());
copyFileSync(new URL("LICENSE", import.meta.url), join(target, "LICENSE"));
rmSync(charts, { recursive: true, force: true });
mkdirSync(charts, { recursive: true });
writeFileSync(join(charts, "chart.js"), await moduleOf(here("chart.mjs"), { alias: { "@kurkle/color": here("colour.mjs") }, plugins: [withoutAnimations] }));
copyFileSync(join(packages, "chart.js/LICENSE.md"), join(charts, "LICENSE"));
rmSync(sorting, { recursive: true, force: true });
mkdirSync(sorting, { recursive: true });
writeFileSync(join(sorting, "sortable.js"), await moduleOf(join(packages, "sortablejs/modular/sortable.core.esm.js")));
copyFileSync(join(packages, "sortablejs/LICENSE"), join(sorting, "LICENSE"));
rmSync(morph, { recursive: true, force: true });
mkdirSync(morph, { recursive: true });
copyFileSync(join(packages, "idiomorph/dist/idiomorph-ext.min.js"), join(morph, "idiomorph-ext.min.js"));
copyFileSync(join(packages, "idiomorph/LICENSE"), join(morph, "LICENSE"));
