# Restarts the portal (or one service: .\restart-server.ps1 engine); starts it when it does not run.
& "$PSScriptRoot\portal.ps1" restart @args
exit $LASTEXITCODE
