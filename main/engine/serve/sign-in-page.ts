/** The two small pages serve mode shows to somebody who is not signed in; no script, styles inline, nothing from outside. */

const STYLE = `
:root{color-scheme:dark light;font:16px/1.5 system-ui,sans-serif}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:#0c0e11;color:#eceef1}
main{width:min(22rem,calc(100vw - 3rem))}
h1{font-size:1.5rem;margin:0 0 .5rem;color:#ffbf6b}
p{margin:0 0 1rem;color:#9aa3af}
label{display:block;margin-bottom:.25rem}
input{width:100%;box-sizing:border-box;font:inherit;padding:.6rem .75rem;border-radius:10px;border:1px solid #6d7682;background:#14171c;color:inherit}
button{margin-top:1rem;width:100%;font:inherit;font-weight:600;padding:.65rem;border:0;border-radius:10px;background:#ffb454;color:#1d1200;cursor:pointer}
input:focus-visible,button:focus-visible{outline:3px solid #ffb454;outline-offset:2px}
.problem{color:#ff6369}
@media (prefers-color-scheme:light){body{background:#f5f3ef;color:#1c1d20}h1{color:#945500}p{color:#5f6670}input{background:#fffdfa;border-color:#7c838d}input:focus-visible,button:focus-visible{outline-color:#945500}.problem{color:#c62a2f}}
`;

function page(body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Porchlight</title><style>${STYLE}</style></head><body><main>${body}</main></body></html>`;
}

/** Asks for the owner's password; `problem` is one sentence of ours, never text from outside. */
export function passwordPage(problem: string | null): string {
  const alert = problem === null ? '' : `<p class="problem" role="alert">${problem}</p>`;
  return page(
    `<h1>Porchlight</h1><p>Enter the password the owner chose for this home.</p>${alert}` +
      `<form method="post" action="/sign-in"><label for="password">Password</label>` +
      `<input id="password" name="password" type="password" autocomplete="current-password" maxlength="256" required autofocus><button>Sign in</button></form>`,
  );
}

/** For somebody who came without the key of this computer's address. */
export function needsKeyPage(): string {
  return page('<h1>Porchlight</h1><p>Open the whole address that Porchlight printed when it started, with the key at its end. It opens this home in this browser.</p>');
}
