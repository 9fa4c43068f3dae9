// Single keys, written where they act: data-key="a" clicks (or focuses) its element, data-key="g q" is
// a sequence. [data-rows] tables move by j and k. The sheet on "?" is made from what the page offers.
(function () {
  "use strict";
  const OFF = "whetstone.keys";
  const SEQUENCE_MS = 1200;
  let prefix = "";
  let prefixTimer = 0;

  function enabled() {
    try {
      return localStorage.getItem(OFF) !== "off";
    } catch {
      return true;
    }
  }

  function typing(target) {
    return target.isContentEditable || (target.matches && target.matches(
      "textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit])"));
  }

  // A key that is held, or pressed while the next item is on its way, must never act on what is not seen.
  function busy(event) {
    return event.repeat || document.body.hasAttribute("data-loading")
      || document.querySelector("[data-keys-wait].htmx-request") !== null;
  }

  function visible(element) {
    return element.getClientRects().length > 0 || element.matches("input, .visually-hidden");
  }

  function find(key) {
    const scope = document.querySelector("dialog[open]") || document;
    return [...scope.querySelectorAll("[data-key]")]
      .find((element) => element.dataset.key === key && visible(element) && !element.disabled);
  }

  function act(element) {
    if (element.matches("textarea, select, input:not([type=checkbox], [type=radio])")) element.focus();
    else if (element.matches("input")) { element.focus(); element.click(); }
    else element.click();
  }

  function move(step) {
    const rows = [...document.querySelectorAll("[data-rows] > tr, [data-rows] > li")];
    if (!rows.length) return false;
    const here = rows.findIndex((row) => row.contains(document.activeElement));
    const row = rows[Math.min(rows.length - 1, Math.max(0, here + step))];
    const link = row.querySelector("a, button, input");
    if (link) link.focus();
    return Boolean(link);
  }

  function name(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return "mod+enter";
    if (event.ctrlKey || event.metaKey || event.altKey) return "";
    return event.key.length === 1 ? event.key.toLowerCase() : "";
  }

  function press(event) {
    const key = name(event);
    if (!key || event.defaultPrevented) return;
    if (busy(event)) return;
    if (key !== "mod+enter" && (typing(event.target) || !enabled())) return;
    const whole = prefix ? prefix + " " + key : key;
    prefix = "";
    clearTimeout(prefixTimer);
    if (whole === "?") { fillSheet(); document.getElementById("keys").showModal(); event.preventDefault(); return; }
    const element = find(whole) || find(key);
    if (element) { event.preventDefault(); act(element); return; }
    if (key === "j" || key === "k") { if (move(key === "j" ? 1 : -1)) event.preventDefault(); return; }
    if (document.querySelector(`[data-key^="${CSS.escape(key)} "]`)) {
      prefix = key;
      prefixTimer = setTimeout(() => { prefix = ""; }, SEQUENCE_MS);
    }
  }

  function label(element) {
    return element.dataset.keyLabel || element.getAttribute("aria-label") || element.textContent.trim();
  }

  function row(text, key) {
    const line = document.createElement("div");
    line.className = "keys__row";
    line.append(Object.assign(document.createElement("span"), { textContent: text }));
    const caps = document.createElement("span");
    caps.className = "cluster";
    for (const part of key.split(" ")) {
      const shown = part === "mod+enter" ? (navigator.platform.startsWith("Mac") ? "⌘ ↵" : "Ctrl ↵") : part;
      caps.append(Object.assign(document.createElement("kbd"), { textContent: shown }));
    }
    line.append(caps);
    return line;
  }

  function fillSheet() {
    const list = document.querySelector("#keys [data-keys-list]");
    const seen = new Set();
    const rows = [];
    for (const element of document.querySelectorAll("[data-key]")) {
      if (seen.has(element.dataset.key) || element.closest("#keys")) continue;
      seen.add(element.dataset.key);
      rows.push(row(label(element), element.dataset.key));
    }
    if (document.querySelector("[data-rows]")) rows.push(row("Next row", "j"), row("Previous row", "k"));
    rows.push(row("This sheet", "?"));
    list.replaceChildren(...rows);
    document.getElementById("keys-on").checked = enabled();
  }

  document.addEventListener("keydown", press);
  document.addEventListener("click", (event) => {
    if (event.target.closest('[data-dialog="keys"]')) fillSheet();
  });
  document.addEventListener("change", (event) => {
    if (event.target.id !== "keys-on") return;
    try {
      localStorage.setItem(OFF, event.target.checked ? "on" : "off");
    } catch {
      // Storage may be forbidden; the keys then stay on.
    }
  });
})();
