// Keeps what is marked data-live as the server has it, once a second while the page is visible. A part in which
// somebody is (focus, or a selection) stays as it is until they leave it.

const pulse = document.getElementById('pulse');
let looking = false;

function isInUse(part) {
  const selection = document.getSelection();
  const selected = selection && !selection.isCollapsed && selection.intersectsNode(part);
  return selected || part.contains(document.activeElement);
}

function update(fresh) {
  for (const part of document.querySelectorAll('[data-live]')) {
    const next = fresh.getElementById(part.id);
    if (next && next.innerHTML !== part.innerHTML && !isInUse(part)) part.innerHTML = next.innerHTML;
  }
}

function say(text) {
  if (pulse.textContent !== text) pulse.textContent = text;
  pulse.hidden = false;
}

async function look() {
  if (document.hidden || looking) return;
  looking = true;
  try {
    const answer = await fetch(location.href, { cache: 'no-store' });
    if (answer.ok) update(new DOMParser().parseFromString(await answer.text(), 'text/html'));
    say(answer.ok ? 'Live' : 'Not live: there is no such page');
    if (answer.status === 404) clearInterval(timer);
  } catch {
    say('No answer: is the emulator still running?');
  } finally {
    looking = false;
  }
}

const timer = setInterval(look, 1000);
document.addEventListener('visibilitychange', look);
