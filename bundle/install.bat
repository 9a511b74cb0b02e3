@echo off
rem Installs zonelog without a network: install.bat [FOLDER], which is found from where you are.
setlocal
set "found=python"
where py >nul 2>nul && set "found=py"
for %%v in (3.11 3.12 3.13 3.14) do (
  py -%%v "%~dp0install.py" --fits >nul 2>nul && set "found=py -%%v"
)
%found% "%~dp0install.py" %*
set "status=%errorlevel%"
if "%~1"=="" pause
exit /b %status%
