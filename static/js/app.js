// Two small comforts; every page is complete without them.
"use strict";

// Menus (<details class="menu">) close on a click elsewhere, when another opens, and on Escape.
function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except && !menu.contains(except)) menu.open = false;
  }
}

document.addEventListener("click", (event) => closeMenus(event.target));

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.activeElement?.closest("details.menu[open]");
  closeMenus(null);
  menu?.querySelector("summary").focus();
});

// A form that posts is sent once: the second click of a double click finds the button disabled.
// The server keeps the same promise by itself; this only spares people the message.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.target) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  // After the browser has read the form, or the button's own name and value would be missing.
  setTimeout(() => setButtons(form, true));
});

function setButtons(form, disabled) {
  for (const button of form.elements) {
    if (button.type === "submit") button.disabled = disabled;
  }
}

// Back from the history the page is shown as it was left: make its forms usable again.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    setButtons(form, false);
  }
});

// At sign-up the browser's time zone is offered instead of UTC, once and only if the list has it.
function offerTimeZone(list) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...list.options].some((option) => option.value === zone)) list.value = zone;
}

document.querySelectorAll("select[data-guess='time-zone']").forEach(offerTimeZone);
