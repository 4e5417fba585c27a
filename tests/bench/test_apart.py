import os

import pytest
import torch

from bench.apart import apart, peak_memory


@pytest.mark.slow
def test_a_process_has_its_own_threads_and_memory():
    held = torch.zeros(1 << 26)
    assert peak_memory() > held.nbytes / 2**20
    assert apart(torch.get_num_threads, threads=1) == 1
    assert apart(peak_memory, threads=1) < held.nbytes / 2**20
    assert apart(os.getpid, threads=1) != os.getpid()


def test_what_goes_wrong_there_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        apart(divmod, 1, 0, threads=1)


@pytest.mark.slow
def test_an_ordinary_machine_has_avx2_and_no_more():
    assert apart(torch.backends.cpu.get_cpu_capability, threads=1, ordinary=True) == "AVX2"
