# The front door on Windows: runs ./portal inside WSL, because the servers need Unix sockets.
if (-not (Get-Command wsl.exe -ErrorAction SilentlyContinue)) {
    Write-Error "The portal runs on Windows inside WSL 2: run 'wsl --install' once, then try again."
    exit 1
}
Push-Location $PSScriptRoot
try { wsl.exe -- ./portal @args; exit $LASTEXITCODE } finally { Pop-Location }
