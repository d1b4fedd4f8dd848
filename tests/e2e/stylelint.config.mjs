// How the page's style sheet is linted.
export default {
  extends: "stylelint-config-recommended",
  rules: { "no-descending-specificity": null, "function-url-no-scheme-relative": true, "declaration-block-no-duplicate-properties": true },
};
