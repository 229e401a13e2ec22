/** The page's address as a value: read anew when the visitor goes back or forward. */
import { useCallback, useEffect, useState } from 'preact/hooks';

/** The query, and how to change it: a visit is a place that the visitor can go back to. */
export function useAddress(): {
  readonly search: string;
  visit(search: string): void;
} {
  const [search, setSearch] = useState(location.search);
  useEffect(() => {
    const read = (): void => setSearch(location.search);
    addEventListener('popstate', read);
    return () => removeEventListener('popstate', read);
  }, []);
  const visit = useCallback((next: string): void => {
    if (next === (location.search || '?')) return;
    history.pushState(null, '', next);
    setSearch(location.search);
  }, []);
  return { search, visit };
}
