// Limits a process as some hosts do, then runs a command, which inherits the limit. hosts.test.ts compiles it.
//
//   host-limit EPERM|ENOSYS|EINVAL|kill CALL[,ARGUMENT,VALUE] COMMAND ...
//
// sets a filter of system calls. It answers one call: by an error, or by the end of the process. With the number of an
// argument and a value, it answers only the calls that have it.
//
//   host-limit no-huge-pages - COMMAND ...
//
// switches huge pages off for the process. It needs no library: prctl(2) is all.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

// <linux/prctl.h>, since Linux 3.15.
#ifndef PR_SET_THP_DISABLE
#define PR_SET_THP_DISABLE 41
#endif
// <linux/seccomp.h>, since Linux 4.14.
#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS 0x80000000U
#endif

static int usage(void) {
  fprintf(stderr, "usage: host-limit EPERM|ENOSYS|EINVAL|kill CALL[,ARGUMENT,VALUE] COMMAND ...\n"
                  "       host-limit no-huge-pages - COMMAND ...\n");
  return 120;
}

static int filter(unsigned answer, const char *what) {
  char *rest;
  int has_value = strchr(what, ',') != NULL;
  unsigned call = strtoul(what, &rest, 0);
  unsigned index = has_value ? strtoul(rest + 1, &rest, 0) : 0;
  unsigned value = has_value ? strtoul(rest + 1, &rest, 0) : call;
  // The low half of the argument. Without one, the number of the call is looked at twice.
  unsigned offset = has_value ? offsetof(struct seccomp_data, args) + 8 * index : offsetof(struct seccomp_data, nr);
  struct sock_filter lines[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 3),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, answer),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof lines / sizeof lines[0], lines};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv) {
  if (argc < 4) return usage();
  const char *how = argv[1];
  int failed;
  if (strcmp(how, "no-huge-pages") == 0) failed = prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  else if (strcmp(how, "kill") == 0) failed = filter(SECCOMP_RET_KILL_PROCESS, argv[2]);
  else if (strcmp(how, "EPERM") == 0) failed = filter(SECCOMP_RET_ERRNO | EPERM, argv[2]);
  else if (strcmp(how, "ENOSYS") == 0) failed = filter(SECCOMP_RET_ERRNO | ENOSYS, argv[2]);
  else if (strcmp(how, "EINVAL") == 0) failed = filter(SECCOMP_RET_ERRNO | EINVAL, argv[2]);
  else return usage();
  if (failed != 0) {
    perror("host-limit: prctl");
    return 121;
  }
  execvp(argv[3], argv + 3);
  perror(argv[3]);
  return 122;
}
