// Where a failure shows: select words of the raw output, by mouse or sentence by sentence with keys, then
// name the failure. Places are code points of the raw text, half open.
(function () {
  "use strict";
  const form = document.querySelector("[data-judge]");
  const text = document.querySelector("[data-raw-text]");
  const toggle = document.querySelector("[data-raw]");
  const picked = document.querySelector("[data-picked]");
  const pick = document.querySelector("[data-pick]");
  if (!form || !text || !picked) return;
  const SHOWN = 200;
  let place = null;
  let sentences = null;
  let current = -1;
  let anchor = -1;

  function inRaw() {
    return !toggle || toggle.checked;
  }

  // JavaScript counts UTF-16 units, the server code points.
  function points(units) {
    let count = 0;
    for (let i = 0; i < units.length; i += 1) {
      const unit = units.charCodeAt(i);
      if (unit < 0xdc00 || unit > 0xdfff) count += 1;
    }
    return count;
  }

  function before(node, offset) {
    const range = document.createRange();
    range.setStart(text, 0);
    range.setEnd(node, offset);
    return range.toString();
  }

  function read() {
    const selection = document.getSelection();
    if (!selection.rangeCount || selection.isCollapsed) return;
    const range = selection.getRangeAt(0);
    if (!text.contains(range.startContainer) || !text.contains(range.endContainer)) return;
    const start = points(before(range.startContainer, range.startOffset));
    const words = range.toString();
    if (!words.trim()) return;
    place = { start, end: start + points(words), text: words };
    show();
  }

  function show() {
    picked.hidden = !place;
    picked.replaceChildren();
    if (!place) return;
    const quote = document.createElement("q");
    quote.textContent = place.text.length > 90 ? place.text.slice(0, 90) + "…" : place.text;
    picked.append("Marked ", quote, ". Name the failure to tie it; Esc drops it.");
  }

  function drop() {
    place = null;
    current = -1;
    document.getSelection().removeAllRanges();
    show();
  }

  function tie(mode) {
    const list = mode.querySelector("[data-places]");
    const value = `${place.start}-${place.end}`;
    if (![...list.querySelectorAll("input")].some((input) => input.value === value)) {
      list.append(line(mode.dataset.mode, value, place.text.slice(0, SHOWN)));
    }
    drop();
    form.dispatchEvent(new CustomEvent("workbench:changed"));
  }

  function line(mode, value, words) {
    const item = document.createElement("li");
    item.className = "mode__where";
    const quote = Object.assign(document.createElement("q"), { textContent: words });
    const input = Object.assign(document.createElement("input"), { type: "hidden", name: `span-${mode}`, value });
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
    button.className = "button button--quiet button--small button--square";
    button.dataset.untie = "";
    button.setAttribute("aria-label", "Remove this place");
    item.append(quote, input, button);
    return item;
  }

  // Text nodes of the raw output with the offset at which each begins, for a range by offsets.
  function locate(offset) {
    const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
    let at = 0;
    let last = null;
    while (walker.nextNode()) {
      last = walker.currentNode;
      if (offset <= at + last.length) return [last, offset - at];
      at += last.length;
    }
    return last ? [last, last.length] : null;
  }

  function split() {
    const whole = text.textContent;
    const found = typeof Intl.Segmenter === "function"
      ? [...new Intl.Segmenter(undefined, { granularity: "sentence" }).segment(whole)].map((s) => [s.index, s.segment])
      : [...whole.matchAll(/[^.!?\n]+[.!?\n]*\s*/g)].map((match) => [match.index, match[0]]);
    return found.filter(([, words]) => words.trim()).map(([start, words]) => [start, start + words.trimEnd().length]);
  }

  function step(way) {
    sentences = sentences || split();
    if (!sentences.length) return;
    const next = way === "more" ? current + 1 : current + Number(way);
    current = Math.min(sentences.length - 1, Math.max(0, next));
    if (way !== "more" || anchor < 0) anchor = current;
    const from = locate(sentences[anchor][0]);
    const to = locate(sentences[current][1]);
    const selection = document.getSelection();
    selection.setBaseAndExtent(from[0], from[1], to[0], to[1]);
    to[0].parentElement.scrollIntoView({ block: "nearest" });
    const kept = [current, anchor];
    read();
    [current, anchor] = kept;
  }

  function showTools() {
    if (pick) pick.hidden = !inRaw();
  }

  document.addEventListener("selectionchange", () => {
    if (inRaw()) read();
  });
  document.addEventListener("click", (event) => {
    const sentence = event.target.closest("[data-sentence]");
    if (sentence) step(sentence.dataset.sentence);
    const remove = event.target.closest("[data-untie]");
    if (remove) {
      remove.closest("li").remove();
      form.dispatchEvent(new CustomEvent("workbench:changed"));
    }
  });
  // With words marked, naming a failure that is named already adds a place instead of taking it back.
  form.addEventListener("click", (event) => {
    const box = event.target;
    if (box.name !== "mode" || !place) return;
    if (!box.checked) event.preventDefault();
    tie(box.closest("[data-mode]"));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && place) drop();
  });
  if (toggle) toggle.addEventListener("change", () => { showTools(); if (!toggle.checked) drop(); });
  showTools();
})();
