// Menus, the small-screen sidebar, dialogs and toasts. Without it all of them are plain, open HTML.
(function () {
  "use strict";
  const TOAST_MS = 8000;

  function closeMenus(except) {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (menu !== except) menu.open = false;
    }
  }

  function toggleSidebar(button) {
    const bar = document.getElementById(button.getAttribute("aria-controls"));
    const open = bar.toggleAttribute("data-open");
    button.setAttribute("aria-expanded", String(open));
  }

  function openDialog(id) {
    const dialog = document.getElementById(id);
    if (dialog && !dialog.open) dialog.showModal();
  }

  function close(box) {
    if (box.tagName === "DIALOG") box.close();
    else box.remove();
  }

  function timeToasts(scope) {
    for (const toast of scope.querySelectorAll(".toast--success, .toast--info")) {
      let timer = 0;
      const start = () => { timer = setTimeout(() => toast.remove(), TOAST_MS); };
      const stop = () => clearTimeout(timer);
      toast.addEventListener("pointerenter", stop);
      toast.addEventListener("focusin", stop);
      toast.addEventListener("pointerleave", start);
      toast.addEventListener("focusout", start);
      start();
    }
  }

  document.addEventListener("click", (event) => {
    const target = event.target;
    closeMenus(target.closest("details.menu"));
    const opener = target.closest("[data-dialog]");
    if (opener) {
      event.preventDefault();
      openDialog(opener.dataset.dialog);
    }
    const closer = target.closest("[data-close]");
    if (closer) close(closer.closest("dialog, .toast"));
    const toggle = target.closest("[data-sidebar]");
    if (toggle) toggleSidebar(toggle);
    if (target.tagName === "DIALOG") target.close();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
  });

  document.addEventListener("DOMContentLoaded", () => {
    timeToasts(document);
    document.body.addEventListener("htmx:afterSwap", (event) => timeToasts(event.target));
    document.body.addEventListener("htmx:oobAfterSwap", (event) => timeToasts(event.target));
  });
})();
