// Opened as a file, a page may read no other page: search then lists titles without their text.
if (location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}
