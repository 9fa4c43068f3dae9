// The judgement form: draft kept on the server, time at work, the lease kept alive, and keys at rest while
// the next item is on its way. Marking places in the output is in places.js.
(function () {
  "use strict";
  const DRAFT_MS = 900;
  const RETRY_MS = 5000;
  const TICK_MS = 1000;
  // Without a sign of life for so long nobody is at work on it.
  const IDLE_MS = 60000;

  const form = document.querySelector("[data-judge]");
  if (!form) return;
  const saved = document.querySelector("[data-saved]");
  const clock = form.elements.active_ms;
  let timer = 0;
  let dirty = false;
  let lost = Boolean(document.getElementById("stale"));
  let leaving = false;
  let lastSign = performance.now();
  let lastTick = lastSign;

  function say(text) {
    if (saved) saved.textContent = text;
  }

  // Time at work: the page is seen, and somebody is there.
  function tick() {
    const now = performance.now();
    const seen = document.visibilityState === "visible" && now - lastSign < IDLE_MS;
    if (seen && !lost) clock.value = String(Number(clock.value) + Math.round(now - lastTick));
    lastTick = now;
  }

  function sign() {
    lastSign = performance.now();
  }

  async function post(url, data) {
    const answer = await fetch(url, { method: "POST", body: data, redirect: "manual" });
    return answer;
  }

  async function keep() {
    timer = 0;
    if (!dirty || leaving) return;
    dirty = false;
    say("Saving…");
    try {
      const answer = await post(form.dataset.draftUrl, new FormData(form));
      if (answer.status === 204) say("Draft saved");
      else if (answer.type === "opaqueredirect") say("Signed out: sign in in another tab");
      else { say("Draft not saved"); later(RETRY_MS); }
    } catch {
      say("Offline: draft not saved yet");
      later(RETRY_MS);
    }
  }

  function later(wait) {
    dirty = true;
    clearTimeout(timer);
    timer = setTimeout(keep, wait);
  }

  function changed() {
    sign();
    if (form.dataset.draftUrl && !leaving) later(DRAFT_MS);
  }

  // What is written in the second before the window closes still arrives.
  function keepLast() {
    tick();
    if (!dirty || leaving || !form.dataset.draftUrl) return;
    if (navigator.sendBeacon(form.dataset.draftUrl, new FormData(form))) dirty = false;
  }

  function warn(text) {
    lost = true;
    const note = document.createElement("div");
    note.className = "notice notice--warn";
    note.id = "stale";
    note.setAttribute("role", "alert");
    const words = document.createElement("p");
    words.textContent = text;
    const go = document.createElement("button");
    go.type = "submit";
    go.className = "button";
    go.setAttribute("form", "next-item");
    go.textContent = "Go on to the next item";
    const box = document.createElement("div");
    box.className = "stack stack--tight";
    box.append(words, go);
    note.append(box);
    form.querySelector(".judge__fields").prepend(note);
  }

  async function beat() {
    if (lost || leaving || document.visibilityState !== "visible") return;
    try {
      const data = new FormData();
      for (const name of ["token", "csrfmiddlewaretoken"]) data.append(name, form.elements[name].value);
      const answer = await post(form.dataset.beatUrl, data);
      if (answer.status === 409 && !lost) warn(await answer.text());
    } catch {
      // Offline: the next beat tries again, and submit tells if the lease is gone.
    }
  }

  // A failure is named: then the output is defective, and its severity answers to single keys.
  function named(box) {
    if (!box.checked) return;
    const verdict = form.querySelector('[name="verdict"][value="defective"]');
    if (verdict && !verdict.checked) verdict.checked = true;
    const mode = box.closest("[data-mode]");
    armed(mode);
    mode.scrollIntoView({ block: "nearest" });
  }

  function armed(mode) {
    for (const radio of form.querySelectorAll("[data-severity-key]")) {
      if (mode && mode.contains(radio)) radio.dataset.key = radio.dataset.severityKey;
      else delete radio.dataset.key;
    }
    for (const other of form.querySelectorAll("[data-mode]")) other.toggleAttribute("data-armed", other === mode);
  }

  form.addEventListener("input", changed);
  form.addEventListener("change", (event) => {
    if (event.target.name === "mode") named(event.target);
    changed();
  });
  form.addEventListener("workbench:changed", changed);
  form.addEventListener("submit", () => {
    tick();
    leaving = true;
    clearTimeout(timer);
    document.body.setAttribute("data-loading", "");
  });
  for (const other of document.querySelectorAll('form[method="post"]')) {
    if (other === form) continue;
    other.addEventListener("submit", keepLast);
  }
  for (const name of ["keydown", "pointerdown", "pointermove", "scroll"]) {
    document.addEventListener(name, sign, { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") { lastTick = performance.now(); sign(); beat(); } else keepLast();
  });
  window.addEventListener("pagehide", keepLast);
  window.addEventListener("pageshow", (event) => {
    leaving = false;
    document.body.removeAttribute("data-loading");
    // Out of the browser's memory the form is that of an item which may be done: ask the server.
    if (event.persisted) window.location.reload();
  });
  setInterval(tick, TICK_MS);
  if (form.dataset.beatUrl && !lost) {
    setInterval(beat, Number(form.dataset.beatSeconds) * 1000);
    beat();
  }
  const first = form.querySelector('[name="mode"]:checked');
  if (first) armed(first.closest("[data-mode]"));
})();
