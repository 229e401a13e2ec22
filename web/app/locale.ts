// Where the system has no language, as under LANG=C, Chromium names one that it then refuses itself, and uPlot asks for it when
// it is loaded. Imported ahead of it.
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en-US', configurable: true });
}
