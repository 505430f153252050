// What is wrong with a page for those who cannot see it well or at all: a list of sentences, empty when all is well.
() => {
  const problems = [];
  const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

  function visible(element) {
    const box = element.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  }
  function describe(element) {
    return `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}"> ${(element.textContent ?? "").trim().slice(0, 40)}`;
  }
  function nameOf(element) {
    const labelled = (element.getAttribute("aria-labelledby") ?? "").split(" ").filter(Boolean).map((id) => document.getElementById(id)?.textContent ?? "");
    const labels = [...(element.labels ?? [])].map((label) => label.textContent);
    return [element.getAttribute("aria-label") ?? "", ...labelled, ...labels].join("").trim();
  }

  function checkNames() {
    for (const control of document.querySelectorAll("input, select, textarea")) if (visible(control) && !nameOf(control)) problems.push(`no label: ${describe(control)}`);
    for (const control of document.querySelectorAll("button, a[href], summary")) if (visible(control) && !nameOf(control) && !control.textContent.trim()) problems.push(`no name: ${describe(control)}`);
    for (const image of document.querySelectorAll("img")) if (!image.hasAttribute("alt")) problems.push(`no alt: ${image.outerHTML}`);
    for (const image of document.querySelectorAll("svg:not([aria-hidden])")) if (image.getAttribute("role") !== "img" || !nameOf(image)) problems.push(`nameless picture: ${describe(image)}`);
    for (const table of document.querySelectorAll("table")) if (!table.caption || table.querySelector("th:not([scope])")) problems.push("a table without caption or scopes");
    for (const scroller of document.querySelectorAll(".scroll, .virtual, pre")) {
      const overflows = scroller.scrollWidth > scroller.clientWidth + 1 || scroller.scrollHeight > scroller.clientHeight + 1;
      if (visible(scroller) && overflows && scroller.tabIndex < 0 && !scroller.querySelector("a, button, input")) problems.push(`scrolls, but not by keyboard: ${describe(scroller)}`);
    }
  }

  function checkStructure() {
    if (document.documentElement.lang !== "en") problems.push("the document does not say its language");
    if (document.querySelectorAll("main").length !== 1) problems.push("there is not one main");
    if (!document.title.includes("Outlast")) problems.push("the title does not say where we are");
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    for (const id of new Set(ids.filter((each, i) => ids.indexOf(each) !== i))) problems.push(`the id ${id} is there twice`);
    for (const label of document.querySelectorAll("label[for]")) if (!document.getElementById(label.htmlFor)) problems.push(`a label for nothing: ${label.textContent}`);
    for (const group of document.querySelectorAll("nav, [role=group], [role=region], dialog")) if (!nameOf(group)) problems.push(`nameless: ${describe(group)}`);
    for (const item of document.querySelectorAll("[role=listitem]")) if (item.parentElement.getAttribute("role") !== "list") problems.push("a list item without a list");
  }

  function rgba(color) {
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = color;
    brush.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = brush.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  }
  function over([r, g, b, a], [x, y, z]) {
    return [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a)];
  }
  function backgroundOf(element) {
    const layers = [];
    for (let each = element; each; each = each.parentElement) layers.push(rgba(getComputedStyle(each).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
  }
  function opacityOf(element) {
    let opacity = 1;
    for (let each = element; each; each = each.parentElement) opacity *= Number(getComputedStyle(each).opacity);
    return opacity;
  }
  function luminance(color) {
    const [r, g, b] = color.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
  function checkContrast() {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const seen = new Set();
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      if (seen.has(element) || !texts.currentNode.data.trim() || !visible(element) || element.closest(":disabled, noscript, option")) continue;
      seen.add(element);
      const style = getComputedStyle(element);
      const behind = backgroundOf(element);
      const [r, g, b, a] = rgba(element instanceof SVGElement ? style.fill : style.color);
      const [one, other] = [luminance(over([r, g, b, a * opacityOf(element)], behind)), luminance(behind)];
      const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
      const size = Number.parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (large ? 3 : 4.5)) problems.push(`contrast ${ratio.toFixed(2)}: ${describe(element)}`);
    }
  }

  checkNames();
  checkStructure();
  checkContrast();
  if (document.documentElement.scrollWidth > innerWidth) problems.push(`the page is ${document.documentElement.scrollWidth} wide in a window of ${innerWidth}`);
  return problems;
}
