// On a phone the sidebar lies over the page: choosing a page or a conversation in it closes it.
const PLACES = ["new_chat", "open_search", "conversations", "compare_model", "new_comparison", "comparisons"];
const CHOICE = ['[data-testid="stSidebarNavLink"]', ...PLACES.map((place) => `.st-key-${place} button`)].join(", ");

// The width below which Streamlit lays the sidebar over the page.
const isOverPage = () => window.matchMedia("(max-width: 767px)").matches;

const collapse = () => document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();

function close({ target }) {
  if (isOverPage() && target.closest?.(CHOICE)) collapse();
}

// Streamlit remembers an open sidebar over a reload, also where it would hide what the address leads to.
let isLoaded = false;
function closeOnce() {
  if (!isLoaded && isOverPage() && document.querySelector('[data-testid="stSidebar"][data-collapsed="false"]')) collapse();
  isLoaded = true;
}

// One listener, however often the page is drawn.
export default function () {
  closeOnce();
  document.addEventListener("click", close);
  return () => document.removeEventListener("click", close);
}
