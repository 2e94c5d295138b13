// Keeps a page of the account as it is at the server, while somebody looks at it. docs/live.md explains it.
// Of all visible tabs one, the leader, holds the stream and tells the others; a hidden tab does nothing.
// What is new is never said: the page is loaded again, and what differs is put in its place.

const others = new BroadcastChannel('unsplit-live');
const FIELDS = 'input:not([type=hidden]), select, textarea';

let known; // The newest version that was told.
let seen; // The version for which this page was loaded again.
let leading; // An AbortController while this tab leads or waits to.
let source; // The leader's stream.
let failures = 0;
let leaving = false;
let loading = false;

const main = () => document.querySelector('main');
const shown = () => main().querySelector('[data-version]')?.dataset.version;
const pause = () => 1000 * 2 ** Math.min(++failures, 6) * (0.5 + Math.random());

// -- What is heard

function hear({ version, ended }) {
  // Nothing of somebody who has logged out stays on a screen. A page that is being left shows nothing soon.
  if (ended && !leaving) location.reload();
  if (!version) return;
  known = version;
  follow();
}

function tell(message) {
  others.postMessage(message);
  hear(message);
}

others.onmessage = ({ data }) => {
  if (!data.ask) hear(data);
  else if (source && known) others.postMessage({ version: known });
};

// -- The stream

/** Leads while the tab is visible, once no other one does. */
function wake() {
  if (document.hidden) return sleep();
  if (leading) return;
  const lead = (leading = new AbortController());
  others.postMessage({ ask: true });
  const { signal } = lead;
  const hold = () =>
    new Promise((done) => {
      if (signal.aborted) return done();
      signal.addEventListener('abort', done);
      open(signal);
    });
  // Over plain HTTP a browser has no locks: then each visible tab has a stream.
  if (navigator.locks) navigator.locks.request('unsplit-live', { signal }, hold).catch(() => {});
  else hold();
  follow();
}

function sleep() {
  leading?.abort();
  leading = undefined;
  source?.close();
  source = undefined;
}

function open(signal) {
  if (signal.aborted) return;
  const stream = (source = new EventSource('/api/live'));
  stream.addEventListener('version', ({ data: version }) => {
    failures = 0;
    tell({ version });
  });
  stream.addEventListener('ended', () => {
    stream.close();
    tell({ ended: true });
  });
  stream.addEventListener('error', () => {
    // Where it was only cut, the browser opens it again by itself.
    if (stream.readyState === EventSource.CLOSED) setTimeout(open, pause(), signal);
  });
}

// -- The page

async function follow() {
  const version = known;
  if (!version || version === seen || version === shown()) return;
  if (document.hidden || leaving || loading || isInUse()) return;
  loading = true;
  try {
    await load();
    seen = version;
    failures = 0;
  } catch {
    setTimeout(follow, pause());
  } finally {
    loading = false;
  }
  if (known !== version) follow();
}

/** Loads the page again. It does not ask for HTML: what a form has to say is for the page that follows it. */
async function load() {
  const answer = await fetch(location.href, { headers: { accept: '*/*' } });
  if (answer.redirected) return location.reload();
  if (!answer.ok) throw new Error(`${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  if (leaving || isInUse()) throw new Error('in use');
  show(page);
}

/** Whether somebody is filling in a form: nothing is taken from under their hands. */
function isInUse() {
  const fields = [...main().querySelectorAll(FIELDS)];
  return fields.some((field) => field === document.activeElement || isChanged(field));
}

function isChanged(field) {
  if (field.options) {
    const first = [...field.options].findIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(first, 0);
  }
  const checkable = field.type === 'radio' || field.type === 'checkbox';
  return checkable ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
}

function show(page) {
  const [old, fresh] = [main(), page.querySelector('main')];
  const flash = old.querySelector(':scope > .flash');
  if (flash) putFirst(fresh, flash.cloneNode(true));
  const [before, focused, { scrollX, scrollY }] = [old.textContent, document.activeElement, window];
  const name = old.contains(focused) && nameOf(focused);
  become(old, fresh);
  document.title = page.title;
  if (name && !focused.isConnected) {
    const same = [...old.querySelectorAll(focused.tagName)].find((element) => nameOf(element) === name);
    (same ?? old).focus({ preventScroll: true });
  }
  scrollTo({ left: scrollX, top: scrollY, behavior: 'instant' });
  if (old.textContent !== before) announce(old.querySelector('h1')?.textContent ?? '');
}

/** In the place that the server leaves for it, so that everything behind it stays where it is. */
function putFirst(fresh, flash) {
  const place = fresh.firstChild;
  if (place?.nodeType === Node.COMMENT_NODE) place.replaceWith(flash);
  else fresh.prepend(flash);
}

/** What somebody would call it, so that the focus finds it again. */
function nameOf(element) {
  return [element.id, element.getAttribute('href'), element.form?.action, element.textContent].join('\n');
}

/** Changes what differs, and leaves everything else where it is. */
function become(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  const [those, these] = [[...old.childNodes], [...fresh.childNodes]];
  if (old.nodeType !== Node.ELEMENT_NODE || old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
  if (those.length !== these.length) return old.replaceChildren(...these);
  those.forEach((child, place) => become(child, these[place]));
}

/** Says it to who can't see that something has changed. */
function announce(text) {
  voice.textContent = `This page has changed. ${text}`;
}

const voice = document.createElement('p');
voice.className = 'visually-hidden';
voice.setAttribute('role', 'status');
document.querySelector('footer').append(voice);

// -- When

document.addEventListener('visibilitychange', wake);
document.addEventListener('focusout', () => setTimeout(follow));
document.addEventListener('submit', () => {
  // The answer to a form is a page that says how things stand. If it never comes, this one goes on.
  leaving = true;
  setTimeout(() => {
    leaving = false;
    follow();
  }, 10_000);
});
addEventListener('pagehide', sleep);
addEventListener('pageshow', ({ persisted }) => {
  leaving = false;
  if (persisted) wake();
});
wake();
