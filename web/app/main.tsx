/** The page. The engine is loaded in a worker, once the page is there to be seen. */
import { render } from 'preact';
import { App } from './App.js';

const place = document.getElementById('page')!;
place.replaceChildren();
render(<App />, place);
