"""An SSH server on the loopback address that runs whatever it is asked to: `ssh_server.py KNOWN_HOSTS`."""

import asyncio
import sys
from pathlib import Path

import asyncssh


class Open(asyncssh.SSHServer):
    def begin_auth(self, username):
        return False


async def copy(lines, file):
    async for line in lines:
        file.write(line.decode())


async def run(process):
    """asyncssh's own `redirect` closes the connection if the command has ended already."""
    pipes = {"stdin": asyncio.subprocess.DEVNULL, **dict.fromkeys(("stdout", "stderr"), asyncio.subprocess.PIPE)}
    child = await asyncio.create_subprocess_shell(f"exec {process.command}", **pipes)
    await asyncio.gather(copy(child.stdout, process.stdout), copy(child.stderr, process.stderr))
    process.exit(await child.wait())


async def main(known_hosts):
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.create_server(Open, "127.0.0.1", 0, server_host_keys=[key], process_factory=run)
    port = server.get_port()
    known_hosts.with_suffix(".port").write_text(str(port))
    known_hosts.write_text(f"[127.0.0.1]:{port} {key.export_public_key().decode()}")
    await server.wait_closed()


asyncio.run(main(Path(sys.argv[1])))
