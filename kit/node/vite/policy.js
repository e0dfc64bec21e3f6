import { createHash } from 'node:crypto';
import { flaskSetting, problem } from '../lib/project.js';

const REPORTS = '/__csp__';
const ANYWHERE = ['https:', 'data:', 'blob:'];
const STANDARD = {
  'default-src': ["'self'"],
  'script-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'", 'https:'],
  'font-src': ["'self'", 'https:', 'data:'],
  'img-src': ["'self'", ...ANYWHERE],
  'media-src': ["'self'", ...ANYWHERE],
  'connect-src': ["'self'", 'https:', 'wss:', 'data:', 'blob:'],
  'worker-src': ["'self'", 'data:', 'blob:'],
  'frame-src': ["'self'", 'https:', 'blob:'],
  'object-src': ["'none'"],
  'base-uri': ["'self'"],
  'form-action': ["'self'", 'https:'],
  'frame-ancestors': ["'none'"],
};
const STRICT = {
  ...Object.fromEntries(Object.keys(STANDARD).map((key) => [key, ["'self'"]])),
  'img-src': ["'self'", 'data:'],
  'object-src': ["'none'"],
  'base-uri': ["'none'"],
  'frame-ancestors': ["'none'"],
};
const PERMISSIONS = {
  standard: 'camera=(self), geolocation=(self), microphone=(self)',
  strict: 'camera=(), geolocation=(), microphone=()',
};
const KEYWORD =
  /^(none|self|strict-dynamic|unsafe-(eval|hashes|inline)|wasm-unsafe-eval|sha\d+-.+)$/;
// Vite's client: its socket, and styles that it puts into the page.
const OF_VITE = { 'connect-src': ['ws:'], 'style-src': ["'unsafe-inline'"] };
const SCRIPT = /<script\b([^>]*)>([\s\S]*?)<\/script\s*>/gi;
const SRC = /\bsrc\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i;

/**
 * Send the headers of production in development too, so that what they forbid is seen at once.
 *
 * react_flask_kit.policy has the same tables; a test compares both. A violation is told in the
 * terminal, with the setting that allows it.
 *
 * @returns {import('vite').Plugin} to be listed last in vite.config.js
 */
export default function policy() {
  let scripts = [];
  return {
    name: 'policy',
    apply: 'serve',
    enforce: 'post',
    transformIndexHtml: {
      order: 'post',
      handler(html) {
        scripts = scriptSources(html);
      },
    },
    configureServer(server) {
      const settings = readSettings();
      const { logger } = server.config;
      server.middlewares.use((req, res, next) => {
        if (req.url === REPORTS) {
          return takeReport(req, res, logger).catch(() => res.destroy());
        }
        const { writeHead } = res;
        res.writeHead = (status, ...rest) => {
          const given = rest.at(-1);
          for (const pair of missing(res, given, settings, scripts)) {
            // Beside what is set, Node.js would take only the last of several cookies.
            if (Array.isArray(given)) given.push(...pair);
            else res.setHeader(...pair);
          }
          return writeHead.call(res, status, ...rest);
        };
        next();
      });
    },
  };
}

/** List the headers that an answer lacks; one that it has is its own. */
function missing(res, given, settings, scripts) {
  const own = new Map(
    Object.entries(res.getHeaders()).concat(entriesOf(given)),
  );
  const wanted = [
    ['x-content-type-options', 'nosniff'],
    ['referrer-policy', 'strict-origin-when-cross-origin'],
    ['cross-origin-resource-policy', 'same-origin'],
  ];
  const isDocument = /^text\/html|^image\/svg/.test(own.get('content-type'));
  if (isDocument && settings.kind !== 'off') {
    wanted.push(
      ['content-security-policy', contentSecurityPolicy(settings, scripts)],
      ['permissions-policy', settings.permissions],
    );
  }
  return wanted.filter(([name]) => !own.has(name));
}

function entriesOf(given) {
  if (!given || typeof given !== 'object') return [];
  const pairs = Array.isArray(given)
    ? given.flatMap((name, i) => (i % 2 ? [] : [[name, given[i + 1]]]))
    : Object.entries(given);
  return pairs.map(([name, value]) => [name.toLowerCase(), value]);
}

function readSettings() {
  const kind = flaskSetting('FLASK_CSP') || 'standard';
  if (!['standard', 'strict', 'off'].includes(kind)) {
    throw problem(`FLASK_CSP: write standard, strict or off; not '${kind}'.`);
  }
  const added = Object.keys(STANDARD).map((directive) => [
    directive,
    (flaskSetting(settingOf(directive)) ?? '').match(/[^\s,"[\]]+/g) ?? [],
  ]);
  return {
    kind,
    added: Object.fromEntries(added),
    permissions: flaskSetting('FLASK_PERMISSIONS_POLICY') || PERMISSIONS[kind],
  };
}

/**
 * Write the policy of production, and what Vite's client needs.
 *
 * @param {{ kind: 'standard' | 'strict', added: Record<string, string[]> }} settings
 * @param {string[]} scripts sources of index.html's scripts
 * @returns {string}
 */
export function contentSecurityPolicy({ kind, added }, scripts) {
  const policy = kind === 'strict' ? STRICT : STANDARD;
  const parts = Object.entries(policy).map(([directive, sources]) => {
    const own = added[directive].map((source) =>
      KEYWORD.test(source) ? `'${source}'` : source,
    );
    const more = [...own, ...(OF_VITE[directive] ?? [])];
    if (directive === 'script-src') more.push(...besides(own, scripts));
    if (own.includes("'none'")) return `${directive} 'none'`;
    const base = more.length > 0 && sources[0] === "'none'" ? [] : sources;
    return [directive, ...new Set([...base, ...more])].join(' ');
  });
  return [...parts, `report-uri ${REPORTS}`].join('; ');
}

/** A hash would switch 'unsafe-inline' off. */
function besides(own, scripts) {
  return own.includes("'unsafe-inline'")
    ? scripts.filter((source) => !source.startsWith("'sha"))
    : scripts;
}

function settingOf(directive) {
  return `FLASK_CSP_${directive.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * List the origins and hashes of the scripts in a document, as it is sent.
 *
 * @param {string} html
 * @returns {string[]}
 */
export function scriptSources(html) {
  return [...html.matchAll(SCRIPT)].flatMap(([, attributes, text]) => {
    const src = SRC.exec(attributes);
    if (!src) {
      // As a browser reads it.
      const read = text.replace(/\r\n?/g, '\n');
      const hash = createHash('sha256').update(read).digest('base64');
      return [`'sha256-${hash}'`];
    }
    const url = src[1] ?? src[2] ?? src[3];
    const isElsewhere = /^(https?:)?\/\//i.test(url);
    return isElsewhere ? [new URL(url, 'https://_').origin] : [];
  });
}

/** Say in the terminal what a browser has blocked, and which setting allows it. */
async function takeReport(req, res, logger) {
  let body = '';
  for await (const chunk of req) {
    if (body.length < 10_000) body += chunk;
  }
  res.writeHead(204).end();
  let report;
  try {
    report = JSON.parse(body)['csp-report'];
  } catch {
    return;
  }
  const directive = String(report?.['effective-directive'] ?? '');
  const plain = directive.replace(/-(elem|attr)$/, '');
  if (!(plain in STANDARD)) return;
  // Any website could send a report, and a terminal obeys control characters.
  const [blocked, page] = ['blocked-uri', 'document-uri'].map((name) =>
    String(report[name]).replace(/[^ -~]/g, '?'),
  );
  const isUrl = URL.canParse(blocked) && /^(https?|wss?):/.test(blocked);
  const value = isUrl
    ? new URL(blocked).origin
    : blocked.replace(/^inline$|^eval$/, 'unsafe-$&');
  logger.warnOnce(
    `The browser blocked ${blocked} (${directive}) on ${page}: the policy of ` +
      `production forbids it, too. To allow it, set ${settingOf(plain)}=${value}`,
  );
}
