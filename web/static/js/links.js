// Links that the API gives, as this page may follow them.

/** The link under the name that this page was reached by, when it leads into this app. */
export function hereOf(link) {
  const { pathname, search } = new URL(link, location.href);
  return pathname.startsWith("/api/storage/") ? pathname + search : link;
}
