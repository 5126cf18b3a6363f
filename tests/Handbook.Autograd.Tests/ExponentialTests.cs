using Handbook.Autograd.Kernels;

namespace Handbook.Autograd.Tests;

public class ExponentialTests
{
    public static TheoryData<int> Widths => [.. new[] { 4, 8, 16 }.Where(lanes => lanes <= FusedKernels.Lanes)];

    [Theory]
    [MemberData(nameof(Widths))]
    public void PowerOfTwo_OverTheRangeOfFloat_IsWithinFourTenMillionths(int lanes)
    {
        for (var x = -125.0; x < 127; x += 0.00390137)
        {
            var single = (float)x;
            var expected = Math.Pow(2, single);
            Assert.InRange(PowerOfTwo(lanes, single), expected * (1 - 4e-7), expected * (1 + 4e-7));
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void PowerOfTwo_AtWholeAndExtremeNumbers_IsExact(int lanes)
    {
        (float X, float Power)[] cases =
        [
            (0, 1), (-3, 0.125f), (float.NegativeInfinity, 0), (-1e30f, 0), (float.MinValue, 0), (200, float.PositiveInfinity),
            (float.PositiveInfinity, float.PositiveInfinity), (-126, 1.17549435e-38f), (127, 1.7014118e38f), (float.NaN, float.NaN),
        ];
        foreach (var (x, power) in cases)
            Assert.Equal(power, PowerOfTwo(lanes, x));
    }

    private static float PowerOfTwo(int lanes, float x) => lanes switch
    {
        16 => Exponential.PowerOfTwo(Lanes16.Create(x))[3],
        8 => Exponential.PowerOfTwo(Lanes8.Create(x))[3],
        _ => Exponential.PowerOfTwo(Lanes4.Create(x))[3],
    };
}
