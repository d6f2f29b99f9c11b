/** The two small pages serve mode shows to somebody who is not signed in; no script, styles inline, nothing from outside. */

const STYLE = `
:root{color-scheme:dark light;font:16px/1.5 system-ui,sans-serif}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:#14120f;color:#f3ede4}
main{width:min(22rem,calc(100vw - 3rem))}
h1{font-size:1.5rem;margin:0 0 .5rem;color:#ffb454}
p{margin:0 0 1rem;color:#cfc6b8}
label{display:block;margin-bottom:.25rem}
input{width:100%;box-sizing:border-box;font:inherit;padding:.6rem .75rem;border-radius:.5rem;border:1px solid #5b5348;background:#1f1c18;color:inherit}
button{margin-top:1rem;width:100%;font:inherit;font-weight:600;padding:.65rem;border:0;border-radius:.5rem;background:#ffb454;color:#1b1206;cursor:pointer}
input:focus-visible,button:focus-visible{outline:3px solid #ffd9a0;outline-offset:2px}
.problem{color:#ff9a8a}
@media (prefers-color-scheme:light){body{background:#faf7f2;color:#241d14}h1{color:#8a4b00}p{color:#5a5045}input{background:#fff;border-color:#a79c8c}.problem{color:#a3200d}}
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
