/* Small helps on top of pages that work without them. */
"use strict";

(() => {
  const TOAST_MS = 8000;

  /* ---- toasts leave by themselves, but not while somebody is at them ---- */
  function watchToasts(root) {
    for (const toast of root.querySelectorAll("[data-toast]:not(.seen)")) {
      toast.classList.add("seen");
      const leave = () => {
        if (toast.matches(":hover, :focus-within")) setTimeout(leave, TOAST_MS / 2);
        else toast.remove();
      };
      setTimeout(leave, TOAST_MS);
    }
  }

  /* ---- the week grid: arrow keys move, Tab and Space go on working ---- */
  const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -7], End: [0, 7] };
  document.addEventListener("keydown", (event) => {
    const grid = event.target.closest?.("[data-week]");
    const move = MOVES[event.key];
    if (!grid || !move || event.target.type !== "checkbox") return;
    const rows = [...grid.tBodies[0].rows].map((row) => [...row.querySelectorAll("input")]);
    const at = rows.findIndex((row) => row.includes(event.target));
    const row = Math.min(Math.max(at + move[0], 0), rows.length - 1);
    const column = Math.min(Math.max(rows[at].indexOf(event.target) + move[1], 0), rows[row].length - 1);
    rows[row][column].focus();
    event.preventDefault();
  });

  /* ---- Enter in the search for a skill leads to what was found; it does not send the form around it ---- */
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches?.(".tb-picker-search input")) return;
    event.preventDefault();
    event.target.closest(".tb-picker-search").querySelector(".tb-found button")?.focus();
  });

  /* ---- choosing rows: how many, and how many hours together ---- */
  function hours(minutes, words) {
    const whole = Math.floor(minutes / 60), rest = minutes % 60;
    const said = whole.toLocaleString(document.documentElement.lang);
    return rest
      ? words.half.replace("#", said).replace("§", String(rest).padStart(2, "0"))
      : words.hour.replace("#", said);
  }
  function tally(form) {
    const boxes = [...form.querySelectorAll("tbody input[type=checkbox][data-minutes]")];
    const chosen = boxes.filter((box) => box.checked);
    for (const box of boxes) box.closest("tr").classList.toggle("on", box.checked);
    const all = form.querySelector("[data-bulk-all]");
    if (all) {
      all.checked = boxes.length > 0 && chosen.length === boxes.length;
      all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
    }
    const text = form.querySelector("[data-bulk-text]"), words = text.dataset;
    const sum = hours(chosen.reduce((minutes, box) => minutes + Number(box.dataset.minutes), 0), words);
    text.textContent = !chosen.length ? words.none
      : (chosen.length === 1 ? words.one : words.many.replace("#", chosen.length)).replace("§", sum);
    text.closest(".tb-bulk").hidden = !chosen.length;
  }
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("[data-bulk]");
    if (!form || event.target.type !== "checkbox") return;
    if (event.target.matches("[data-bulk-all]")) {
      for (const box of form.querySelectorAll("tbody input[type=checkbox][data-minutes]")) box.checked = event.target.checked;
    }
    tally(form);
  });

  /* ---- a date in words beside the browser's own field ---- */
  document.addEventListener("change", (event) => {
    const words = event.target.id && document.querySelector(`[data-date-words="${CSS.escape(event.target.id)}"]`);
    if (!words) return;
    const day = event.target.valueAsDate;
    words.textContent = day
      ? day.toLocaleDateString(`${document.documentElement.lang}-BE`, { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" })
      : "";
  });

  /* ---- a form is sent once, and its button says that it is under way ---- */
  function busy(button) {
    if (!button || button.dataset.said !== undefined) return;
    button.style.minWidth = `${button.offsetWidth}px`;
    button.dataset.said = button.innerHTML;
    button.textContent = document.body.dataset.busy;
    button.setAttribute("aria-disabled", "true");
  }
  function ready(button) {
    if (button?.dataset.said === undefined) return;
    button.innerHTML = button.dataset.said;
    delete button.dataset.said;
    button.removeAttribute("aria-disabled");
    button.style.minWidth = "";
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "get" || form.hasAttribute("hx-post") || event.submitter?.hasAttribute("hx-post")) return;
    if (form.dataset.sent !== undefined) return event.preventDefault();
    form.dataset.sent = "";
    // After the browser has read the form, so that the button's own value travels along.
    setTimeout(() => busy(event.submitter));
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const button of document.querySelectorAll("button[data-said]")) ready(button);
  });

  /* ---- htmx: say that it is under way, then lead the focus to what changed ---- */
  const pressed = (event) => {
    const element = event.detail.elt;
    if (element.matches("button")) return element;
    return element.matches("form") ? event.detail.requestConfig?.triggeringEvent?.submitter : null;
  };
  document.addEventListener("htmx:beforeRequest", (event) => {
    event.detail.target?.setAttribute("aria-busy", "true");
    busy(pressed(event));
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    event.detail.target?.removeAttribute("aria-busy");
    ready(pressed(event));
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const part = event.detail.elt;
    start(part);
    // What was added or removed by a button counts as a change of the form, as if it had been typed.
    if (part.matches(".tb-picker")) part.dispatchEvent(new Event("change", { bubbles: true }));
    const head = part.matches("[data-focus]") ? part : part.querySelector("[data-focus]");
    head?.focus();
  });

  /* ---- one open menu, closed by Escape or by going elsewhere ---- */
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.tb-menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest?.("details.tb-menu[open], details.tb-confirm[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  function start(root) {
    watchToasts(document);
    for (const form of root.querySelectorAll("[data-bulk]")) tally(form);
    for (const part of root.querySelectorAll("[data-script-only]")) part.classList.add("ready");
  }
  start(document);
  document.querySelector(".tb-errors[data-focus]")?.focus();
})();
