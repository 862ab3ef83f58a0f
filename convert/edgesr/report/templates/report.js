"use strict";
document.documentElement.classList.add("js");

// A comparison: two of its layers, with a line between them.
for (const figure of document.querySelectorAll(".compare")) {
  const stage = figure.querySelector(".stage");
  const slider = figure.querySelector("input[type=range]");
  const words = (layer) => stage.querySelector(`[data-layer=${layer}] .caption`).textContent;

  const show = () => {
    const [before, after] = figure.querySelector("input[type=radio]:checked").value.split(" ");
    for (const layer of stage.querySelectorAll(".layer")) {
      layer.classList.toggle("before", layer.dataset.layer === before);
      layer.classList.toggle("after", layer.dataset.layer === after);
    }
    stage.querySelector(".tag.before").textContent = words(before);
    stage.querySelector(".tag.after").textContent = words(after);
    stage.style.setProperty("--at", `${slider.value}%`);
    slider.setAttribute(
      "aria-valuetext", `${slider.value} % ${words(before)}, ${100 - slider.value} % ${words(after)}`);
  };

  const follow = (event) => {
    const box = stage.getBoundingClientRect();
    slider.value = Math.round(100 * (event.clientX - box.left) / box.width);
    show();
  };
  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    follow(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (stage.hasPointerCapture(event.pointerId)) follow(event);
  });
  figure.addEventListener("input", show);
  show();
}

// A strip: the figures of one layer at a time, which are those of its row in the table.
for (const strip of document.querySelectorAll(".strip")) {
  const bars = [...strip.querySelectorAll(".bars rect")];
  const slider = strip.querySelector("input[type=range]");
  const readout = strip.querySelector(".readout");
  const titles = [...strip.querySelectorAll("thead th")].map((cell) => cell.textContent);
  const rows = [...strip.querySelectorAll("tbody tr")].map(
    (row) => [...row.cells].map((cell) => cell.innerText.trim() || cell.textContent.trim()));

  const show = () => {
    const chosen = Number(slider.value);
    bars.forEach((bar, i) => bar.classList.toggle("current", i === chosen));
    slider.setAttribute("aria-valuetext", rows[chosen][0]);
    readout.replaceChildren(...titles.map((title, i) => {
      const part = document.createElement("span");
      const name = document.createElement("b");
      name.textContent = title;
      part.append(name, rows[chosen][i]);
      return part;
    }));
  };
  bars.forEach((bar, i) => bar.addEventListener("pointerenter", () => {
    slider.value = i;
    show();
  }));
  slider.addEventListener("input", show);
  show();
}

// Paper cannot be clicked on.
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
