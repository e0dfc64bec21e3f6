/** Runs in the page: Vite's error overlay leads to the cure, and can be read on a phone. */

const OVERLAY = 'vite-error-overlay';
// What is to be typed, in the text of a cure.
const COMMAND = /(npm run [^\n]*[^\n.]|\b[A-Z_]+=\S+)/;
const STYLE = `
[part='message'],
[part='stack'] {
  overflow-x: visible;
  overflow-wrap: anywhere;
  white-space: pre-wrap;
}

[part='message'] {
  padding-right: 40px;
}

pre:empty {
  display: none;
}

[part='stack'] {
  line-height: 1.8;
  word-break: break-all;
}

.file-link {
  padding: 5px 0;
}

[part='request'] {
  display: block;
  margin-top: 0.75em;
  color: var(--dim);
}

[part='cure'] {
  margin: 0 0 1.25em;
  padding: 12px 16px;
  border-left: 4px solid #4ade80;
  border-radius: 4px;
  background: #16281c;
  color: #eafff0;
  font-size: 15px;
  overflow-wrap: anywhere;
  white-space: pre-wrap;
}

[part='cure-title'] {
  display: block;
  color: #4ade80;
  font-weight: 700;
}

[part='command'] {
  font-size: inherit;
  user-select: all;
}

[part='close'] {
  position: absolute;
  top: 8px;
  right: 8px;
  width: 40px;
  height: 40px;
  border: 0;
  background: none;
  color: inherit;
  font: 24px/1 sans-serif;
  cursor: pointer;
}

kbd {
  font-size: 12px;
}

@media (max-width: 600px) {
  [part='window'] {
    max-width: none;
    margin: 24px 8px;
    padding: 20px 16px;
  }

  pre {
    font-size: 14px;
  }

  [part='stack'] {
    font-size: 13px;
  }
}
`;

const hot = import.meta.hot;
const style = new CSSStyleSheet();
style.replaceSync(STYLE);
// The error that the next overlay shows, and the one that lasts as long as this page.
let latest;
let lasting;
let isCovered = false;
const ofApi = new WeakSet();

hot.on('vite:error', ({ err }) => {
  latest = err;
  if (err.lasts) lasting = err;
});

hot.on('flask:clear', () => {
  lasting = undefined;
  for (const overlay of document.querySelectorAll(OVERLAY)) {
    if (ofApi.has(overlay)) overlay.close();
  }
});

// An update of the frontend takes every overlay away; the API is no better for it.
hot.on('vite:beforeUpdate', () => {
  isCovered = document.querySelector(OVERLAY) !== null;
});
hot.on('vite:afterUpdate', () => {
  if (!lasting || !isCovered || document.querySelector(OVERLAY)) return;
  latest = lasting;
  document.body.append(new (customElements.get(OVERLAY))(lasting));
});

new MutationObserver((changes) => {
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) {
      if (node.localName === OVERLAY) complete(node);
    }
  }
}).observe(document.body, { childList: true });

function complete(overlay) {
  const { shadowRoot } = overlay;
  const find = (part) => shadowRoot.querySelector(`[part=${part}]`);
  shadowRoot.adoptedStyleSheets.push(style);
  find('window').append(closeButton(overlay));
  if (!latest) return;
  const { plugin, exception, request, cure } = latest;
  latest = undefined;
  if (plugin !== 'flask') return;
  ofApi.add(overlay);
  // Where this script is not, the message has all of them.
  find('message-body').textContent = exception;
  if (request) find('message').append(element('span', 'request', request));
  if (cure) find('message').after(cureBlock(cure));
}

function cureBlock(cure) {
  const title = element('strong', 'cure-title', 'What to do');
  const words = cure
    .split(COMMAND)
    .map((text, i) => (i % 2 ? element('code', 'command', text) : text));
  return element('div', 'cure', title, ...words);
}

/** A phone has no Escape key. */
function closeButton(overlay) {
  const button = element('button', 'close', '×');
  button.type = 'button';
  button.ariaLabel = 'Close';
  button.addEventListener('click', () => overlay.close());
  return button;
}

function element(name, part, ...content) {
  const made = document.createElement(name);
  made.setAttribute('part', part);
  made.append(...content);
  return made;
}
