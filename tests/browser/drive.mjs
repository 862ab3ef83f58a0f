// Opens a report in Chromium, uses it as people do, and prints what it saw as JSON.
// Arguments: folder of node_modules, Chromium's path, the report, folder for screenshots.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, executablePath, report, shots] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const url = pathToFileURL(report).href;

const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 900 };
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

const browser = await chromium.launch({ executablePath, args: FLAGS });
const seen = { requests: [], errors: [] };

async function opened(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on("request", (request) => seen.requests.push(request.url().slice(0, 60)));
  page.on("console", (message) => seen.errors.push(message.text()));
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  await page.goto(url);
  return page;
}

const shot = (locator, name) => locator.screenshot({ path: `${shots}/${name}.png` });
const sizes = (page) => page.evaluate(() => ({
  page: document.documentElement.scrollWidth,
  window: document.documentElement.clientWidth,
}));
const openAll = (page) => page.evaluate(() => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});

// What axe-core finds, with everything unfolded, in light and in dark colours.
async function findings(page) {
  await openAll(page);
  await page.evaluate(axe);
  const found = [];
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    found.push(...violations.map(({ id, nodes }) => `${colorScheme}, ${id}: ${nodes[0].html.slice(0, 160)}`));
  }
  return found;
}

async function slider(page) {
  const figure = page.locator(".compare").first();
  const stage = figure.locator(".stage");
  const range = figure.getByRole("slider");
  const state = async () => ({ value: await range.inputValue(), says: await range.getAttribute("aria-valuetext") });
  const states = {};

  await figure.getByRole("radio", { name: "Bicubic | program" }).click();
  states.start = await state();
  await shot(stage, "start");
  await range.focus();
  for (let i = 0; i < 20; i++) await page.keyboard.press("ArrowRight");
  states.keys = await state();
  await shot(stage, "keys");
  await page.keyboard.press("Home");
  states.home = await state();
  await shot(stage, "home");
  await page.keyboard.press("End");
  states.end = await state();
  await shot(stage, "end");

  const box = await stage.boundingBox();
  await page.mouse.move(box.x + 0.9 * box.width, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.25 * box.width, box.y + box.height / 2, { steps: 5 });
  await page.mouse.up();
  states.dragged = await state();
  await shot(stage, "dragged");

  await figure.getByRole("radio", { checked: true }).focus();
  await page.keyboard.press("ArrowRight");
  states.difference = await state();
  await shot(stage, "difference");
  return states;
}

async function layers(page) {
  const strip = page.locator(".strip").first();
  const readout = () => strip.locator(".readout").innerText();
  await strip.getByRole("slider").focus();
  const first = await readout();
  await page.keyboard.press("ArrowRight");
  const second = await readout();
  await strip.locator(".bars rect").first().hover();
  return { first, second, hovered: await readout() };
}

async function visible(page, selector) {
  return page.locator(selector).evaluateAll((found) => found.filter((one) => {
    const style = getComputedStyle(one);
    return one.getClientRects().length && style.visibility === "visible";
  }).length);
}

const desk = await opened({ viewport: DESK });
await shot(desk, "desk");
seen.slider = await slider(desk);
seen.layers = await layers(desk);
seen.desk = { ...await sizes(desk), findings: await findings(desk) };
await desk.emulateMedia({ media: "print" });
seen.print = {
  layers: await visible(desk, ".compare .layer"),
  captions: await visible(desk, ".compare .caption"),
  controls: await visible(desk, "input"),
};
await desk.pdf({ path: `${shots}/print.pdf`, format: "A4" });

const phone = await opened({ viewport: PHONE, hasTouch: true, isMobile: true, colorScheme: "dark" });
await shot(phone, "phone");
seen.phone = { ...await sizes(phone), findings: await findings(phone) };
seen.phone.unfolded = await sizes(phone);

const plain = await opened({ viewport: PHONE, javaScriptEnabled: false });
seen.plain = { layers: await visible(plain, ".compare .layer"), controls: await visible(plain, "input") };

await browser.close();
console.log(JSON.stringify(seen));
