# Builds gpuguard from this checkout, copies it into Cargo's program folder (or Prefix\bin) and,
# with -Repository, wires it into that Git repository. Safe to run again.
#   .\install.ps1 [[-Repository] FOLDER] [-Prefix FOLDER]
[CmdletBinding()]
param([string] $Repository, [string] $Prefix)
$ErrorActionPreference = 'Stop'

foreach ($tool in 'cargo', 'git') {
    if (-not (Get-Command $tool -ErrorAction SilentlyContinue)) { throw "$tool is missing: install it first" }
}
Push-Location $PSScriptRoot
try {
    cargo build --release --locked
    if ($LASTEXITCODE -ne 0) { throw 'the build failed: nothing was installed' }
    $target = (cargo metadata --format-version 1 --no-deps --locked | ConvertFrom-Json).target_directory
}
finally { Pop-Location }

if (-not $Prefix) { $Prefix = if ($env:CARGO_HOME) { $env:CARGO_HOME } else { Join-Path $HOME '.cargo' } }
$folder = (New-Item -ItemType Directory -Force -Path (Join-Path $Prefix 'bin')).FullName
$program = Join-Path $folder 'gpuguard.exe'
Copy-Item (Join-Path $target 'release\gpuguard.exe') "$program.new" -Force
Move-Item "$program.new" $program -Force
Write-Output "installed: $program"
if (($env:PATH -split ';') -notcontains $folder) { Write-Output "note: $folder is not on PATH" }

if ($Repository) {
    & $program install $Repository
    exit $LASTEXITCODE
}
