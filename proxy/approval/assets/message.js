// A message page in a tab that holds the operator token offers the way back to the dashboard.
if (sessionStorage.getItem("mcp-reauth-token")) document.getElementById("back").hidden = false;
