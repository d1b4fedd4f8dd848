// How the page's scripts are linted: faults, not taste.
import globals from "globals";

export default [
  {
    files: ["proxy/approval/assets/*.js"],
    languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-undef": "error", "no-unused-vars": "error", "no-shadow": "error", "no-var": "error", "prefer-const": "error",
      eqeqeq: "error", "no-eval": "error", "no-implied-eval": "error", "no-new-func": "error", "no-fallthrough": "error",
      "no-dupe-keys": "error", "no-unreachable": "error", "no-redeclare": "error", "no-use-before-define": ["error", { functions: false }],
      "no-constant-condition": ["error", { checkLoops: false }], "no-promise-executor-return": "off", "no-self-assign": "error",
      "max-lines": ["error", 120],
      "no-restricted-properties": ["error",
        { property: "innerHTML", message: "text goes in as text" }, { property: "outerHTML", message: "text goes in as text" },
        { property: "insertAdjacentHTML", message: "text goes in as text" }, { object: "document", property: "write" }],
    },
  },
];
