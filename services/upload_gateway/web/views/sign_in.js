// Asks who is there: by the identity provider where there is one, by an API key otherwise.

import { button, el } from "../dom.js";
import { icon } from "../icons.js";

export function askToSignIn({ withKey, provider }) {
  const key = el("input", { id: "key", type: "password", autocomplete: "off", placeholder: "sk_…", required: true });
  const problem = el("p", { class: "problem", role: "alert" });
  const form = el("form", { method: "dialog" },
    el("h2", { id: "sign-in-title" }, "Sign in"),
    provider ? button("Continue with your account", provider, { kind: "primary", picture: icon("person", 18) }) : "",
    el("p", { class: "muted" }, provider ? "Or paste an API key. It is kept until you close this tab." : "Paste an API key of this installation. It is kept until you close this tab."),
    el("label", { class: "field", for: "key" }, "API key", key), problem,
    el("button", { class: `button ${provider ? "" : "primary"}`, type: "submit" }, "Sign in with the key"));
  const dialog = el("dialog", { id: "sign-in", class: "box", "aria-labelledby": "sign-in-title" }, form);
  dialog.oncancel = (event) => event.preventDefault();
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    form.onsubmit = async (event) => {
      event.preventDefault();
      problem.textContent = await refusal(() => withKey(key.value.trim()));
      if (!problem.textContent) { dialog.close(); dialog.remove(); resolve(); }
    };
  });
}

// Why a key does not sign in; nothing where it does.
async function refusal(tryKey) {
  try {
    return (await tryKey()) ? "" : "This key is not known here.";
  } catch (error) {
    return error.status === 0 ? `${error.message} Try again in a moment.` : error.message;
  }
}
