/* Random bytes for Rust's standard library, which asks `bcryptprimitives.dll` for them. Wine 8 has
   no such library, and a program that needs it ends with code 53 and no word. */
#include <windows.h>

/* Exported by advapi32 as SystemFunction036. */
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length)
{
	return SystemFunction036(buffer, (ULONG)length);
}
