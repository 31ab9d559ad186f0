// Small repairs: for readers who use the keyboard, and for a site that is read as files.

// A browser lets no page read another file, so the results of a search come without extracts.
if (location.protocol === 'file:') DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// What scrolls sideways can be reached, and then scrolled.
function reachWhatScrolls() {
  for (const box of document.querySelectorAll('pre, div.math, .table-wrapper')) {
    if (box.scrollWidth > box.clientWidth) {
      box.tabIndex = 0;
    } else {
      box.removeAttribute('tabindex');
    }
  }
}
reachWhatScrolls();
addEventListener('resize', reachWhatScrolls);
document.addEventListener('toggle', reachWhatScrolls, true);

// On narrow screens furo opens its two side bars with labels, which take no focus.
function makeButtons(id, drawer, name) {
  const checkbox = document.getElementById(id);
  const buttons = [];
  for (const label of document.querySelectorAll(`label[for=${id}]:not(.overlay)`)) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = label.className;
    button.setAttribute('aria-label', name);
    button.append(...label.childNodes);
    button.addEventListener('click', () => checkbox.click());
    label.replaceWith(button);
    buttons.push(button);
  }
  const tell = () => {
    for (const button of buttons) button.setAttribute('aria-expanded', checkbox.checked);
  };
  checkbox.addEventListener('change', () => {
    tell();
    if (checkbox.checked) {
      const links = [...document.querySelectorAll(`.${drawer} a`)];
      links.find((link) => link.offsetParent)?.focus();
    }
  });
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && checkbox.checked) {
      checkbox.click();
      buttons.find((button) => button.offsetParent)?.focus();
    }
  });
  tell();
}
makeButtons('__navigation', 'sidebar-drawer', 'Series and search');
makeButtons('__toc', 'toc-drawer', 'On this page');

// A moving picture plays once, until it is loaded anew.
for (const picture of document.querySelectorAll('img[alt^=Animation]')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'again';
  button.textContent = 'Play again';
  button.addEventListener('click', () => (picture.src = picture.src));
  picture.after(button);
}
