// Windows has no shell that could start bin/mcp-reauth and say so itself: the installation does.
if (process.platform === 'win32') {
  console.error('mcp-reauth: there is no program for Windows yet. Install it in WSL (`wsl npx -y mcp-reauth stdio URL`), or run it in a container.');
  process.exit(1);
}
