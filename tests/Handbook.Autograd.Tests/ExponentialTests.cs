using System.Runtime.Intrinsics;
using Handbook.Autograd.Kernels;
using Handbook.Torch;

namespace Handbook.Autograd.Tests;

public class ExponentialTests
{
    [Fact]
    public void PowerOfTwo_OverTheRangeOfFloat_IsWithinFourTenMillionths()
    {
        if (!CpuMatrixKernels.IsSupported)
            return;
        for (var x = -125.0; x < 127; x += 0.00390137)
        {
            var single = (float)x;
            var expected = Math.Pow(2, single);
            Assert.InRange(Exponential.PowerOfTwo(Vector512.Create(single))[3], expected * (1 - 4e-7), expected * (1 + 4e-7));
        }
    }

    [Theory]
    [InlineData(0f, 1f)]
    [InlineData(-3f, 0.125f)]
    [InlineData(float.NegativeInfinity, 0f)]
    [InlineData(-1e30f, 0f)]
    [InlineData(200f, float.PositiveInfinity)]
    [InlineData(float.NaN, float.NaN)]
    public void PowerOfTwo_AtWholeAndExtremeNumbers_IsExact(float x, float expected)
    {
        if (CpuMatrixKernels.IsSupported)
            Assert.Equal(expected, Exponential.PowerOfTwo(Vector512.Create(x))[0]);
    }
}
