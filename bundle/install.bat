@echo off
rem Installs zonelog without a network: install.bat [FOLDER]
cd /d "%~dp0"
for %%v in (3.14 3.13 3.12 3.11) do (
  py -%%v -c "" >nul 2>nul && (py -%%v install.py %* & goto end)
)
python install.py %*
:end
if "%~1"=="" pause
