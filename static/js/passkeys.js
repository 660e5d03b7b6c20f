// Joins our forms (data-passkey) to allauth's scripts, which talk to the browser's passkeys.
"use strict";

const FORMS = { add: "addForm", show: "authenticateForm", "sign-in": "loginForm" };
const BUTTONS = { add: "add", show: "authenticate", "sign-in": "login" };

document.querySelectorAll("form[data-passkey]").forEach((form) => {
  const kind = form.dataset.passkey;
  window.allauth.webauthn.forms[FORMS[kind]]({
    ids: {
      [BUTTONS[kind]]: form.dataset.passkeyButton,
      credential: form.elements.credential.id,
      passwordless: form.elements.passwordless?.id,
      ...(kind === "sign-in" ? {} : { data: "passkey_options" }),
    },
  });
});

// Whoever closes the browser's window has only changed his mind: say it on the page, not in the console.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  document.querySelectorAll("[data-passkey-problem]").forEach((problem) => {
    problem.hidden = false;
  });
});
