// On a phone the sidebar lies over the page: choosing a page or a conversation in it closes it.
const PLACES = ["new_chat", "open_search", "conversations", "compare_model", "new_comparison", "comparisons"];
const CHOICE = ['[data-testid="stSidebarNavLink"]', ...PLACES.map((place) => `.st-key-${place} button`)].join(", ");

// The width below which Streamlit lays the sidebar over the page.
const isOverPage = () => window.matchMedia("(max-width: 767px)").matches;

function close({ target }) {
  if (!isOverPage() || !target.closest?.(CHOICE)) return;
  document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
}

// One listener, however often the page is drawn.
export default function () {
  document.addEventListener("click", close);
  return () => document.removeEventListener("click", close);
}
